#include "messages/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/audit_log.hpp"
#include "storage/journal_files.hpp"
#include "storage/journal_tools.hpp"
#include "tools/cli/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <unistd.h>

#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

using path = std::filesystem::path;

/// What a person says to change a journal.
struct journal_order {
  path directory;
  std::string confirm; ///< the account, once more
  std::string node;    ///< adopt: for which node of nodes.conf
};

/// The account of a journal folder: as its IDENTITY says, else the folder's name.
std::string account_of(const path& directory) {
  const auto identity = journal_files::read_identity(real_disk(), directory);
  return identity ? identity->account : std::filesystem::absolute(directory / ".").parent_path().filename().string();
}

/// A journal folder is NODE'S-DATA/journal/ACCOUNT, and the node's audit log lies in its data folder; a
/// folder that lies elsewhere has the log beside it.
path audit_folder(const path& directory) {
  const auto above = std::filesystem::absolute(directory / ".").parent_path().parent_path();
  return above.filename() == "journal" ? above.parent_path() : above;
}

/// Carries out `change` with a line in the audit log before and one behind it.
template <class Change>
status audited(const journal_order& order, const std::string& verb, Change change) {
  const auto account = account_of(order.directory);
  if (order.confirm != account)
    return {storage_errc::bad_input, "journal " + verb + " changes the order journal of " + account + " in "
                                         + order.directory.string() + " for good; say --confirm=" + account};
  auto audit = audit_log::open(audit_folder(order.directory));
  if (!audit) return std::move(audit).error();
  const auto identity = journal_files::read_identity(real_disk(), order.directory);
  const node_name node{order.node.empty() && identity ? identity->node : order.node};
  const admin_command command{"journal " + verb, order.directory.string(), {{"account", account}}, operator_name()};
  if (auto noted = audit->write(wall_clock{}.now(), node, command, nullptr); !noted) return noted;
  const auto done = change(account);
  const admin_result outcome{done.has_value(), done ? "done" : done.error().text};
  if (auto noted = audit->write(wall_clock{}.now(), node, command, &outcome); !noted && done) return noted;
  return done;
}

void print_findings(const journal_verification& found) {
  for (const auto& line : found.findings) std::cout << line << '\n';
  std::cout << (found.intact ? "intact: " : "damaged: ") << found.records << " records, epoch " << found.epoch << ", "
            << found.intents << " intents, " << found.fills << " fills\n";
}

int journal_verify_command(const global_options& global, const path& directory) {
  const auto found = verify_journal(real_disk(), directory);
  if (!found) return fail(found.error());
  if (global.json) std::cout << to_json(*found) << '\n';
  else print_findings(*found);
  return found->intact ? 0 : 1;
}

int journal_dump_command(const path& directory) {
  const auto done = read_journal(real_disk(), directory, [](const journal_row& row) -> status {
    std::cout << journal_row_json(row) << '\n';
    return ok;
  });
  return done ? 0 : fail(done.error());
}

int journal_adopt_command(const global_options& global, const journal_order& order) {
  journal_recovery found;
  std::uint64_t epoch = 0;
  const auto done = audited(order, "adopt", [&](const std::string& account) -> status {
    journal_options options;
    options.directory = order.directory;
    options.identity = {order.node, local_machine_id(real_disk()), account};
    options.holder = "pid " + std::to_string(::getpid()) + ", troupe journal adopt";
    options.adopt = true;
    options.adopted_by = operator_name();
    const auto there = journal_files::list_segments(real_disk(), order.directory);
    if (!there) return there.error();
    if (there->empty()) return {storage_errc::not_found, order.directory.string() + ": no journal lies here"};
    auto journal = order_journal::open(real_disk(), options);
    if (!journal) return std::move(journal).error();
    found = journal->recovery();
    epoch = journal->epoch();
    return ok;
  });
  if (!done) return fail(done.error());
  if (global.json) {
    json_writer w;
    w.begin_object().field("node", order.node).field("epoch", epoch).key("recovery").raw(to_json(found)).end_object();
    std::cout << w.text() << '\n';
  } else
    std::cout << "adopted for node " << order.node << ": " << found.records << " records, epoch " << epoch << '\n';
  return 0;
}

int journal_repair_command(const global_options& global, const journal_order& order) {
  journal_verification found;
  const auto done = audited(order, "repair", [&](const std::string&) -> status {
    auto repaired = repair_journal(real_disk(), order.directory);
    if (!repaired) return std::move(repaired).error();
    found = std::move(*repaired);
    return ok;
  });
  if (!done) return fail(done.error());
  if (global.json) std::cout << to_json(found) << '\n';
  else {
    print_findings(found);
    if (!found.intact)
      std::cout << "cut there; the segments as they were lie beside as damaged-*. What the venue knows of later "
                   "orders is fetched at the next start\n";
  }
  return 0;
}

CLI::App* journal_verb(CLI::App& journal, const char* name, const char* words, path& directory) {
  auto* verb = journal.add_subcommand(name, words);
  verb->add_option("DIRECTORY", directory, "Journal folder of an account: DATA/NODE/journal/ACCOUNT")
      ->required()
      ->check(CLI::ExistingDirectory);
  return verb;
}

} // namespace

void add_journal_commands(CLI::App& app, global_options& global) {
  auto* journal = app.add_subcommand("journal", "The order journal: dump, verify, adopt, repair");
  journal->require_subcommand(1);
  auto order = std::make_shared<journal_order>();
  journal_verb(*journal, "dump", "Print every record, one JSON object a line; also beside a running executor",
               order->directory)
      ->callback(run(global, [order] { return journal_dump_command(order->directory); }));
  journal_verb(*journal, "verify", "Check every record; also beside a running executor", order->directory)
      ->callback(run(global, [&global, order] { return journal_verify_command(global, order->directory); }));

  auto* adopt = journal_verb(*journal, "adopt",
                             "Make a journal this machine's: after a move, or when EPOCH or IDENTITY is damaged. "
                             "Its former owner must never run again",
                             order->directory);
  adopt->add_option("--node", order->node, "Node of nodes.conf that goes on with it")->required();
  adopt->add_option("--confirm", order->confirm, "The account, to confirm");
  adopt->callback(run(global, [&global, order] { return journal_adopt_command(global, *order); }));

  auto* repair = journal_verb(*journal, "repair",
                              "Last resort: cut the journal at its first damage; the segments as they were stay beside",
                              order->directory);
  repair->add_option("--confirm", order->confirm, "The account, to confirm");
  repair->callback(run(global, [&global, order] { return journal_repair_command(global, *order); }));
}

} // namespace troupe::cli
