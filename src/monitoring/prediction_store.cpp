#include "monitoring/prediction_store.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "monitoring/limits.h"

namespace gyre::monitoring {
namespace {

Result<std::vector<std::string>> names_in(const std::string& folder) {
    std::error_code failed;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entries(folder, failed);
    for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed)) {
        names.push_back(entries->path().filename().string());
        if (names.size() > kSegmentsMax) {
            return resource_exhausted("more than " + std::to_string(kSegmentsMax) + " files in '" + folder +
                                      "': declare a retention");
        }
    }
    if (failed) {
        return errno_error("list '" + folder + "'", failed.value());
    }
    std::ranges::sort(names);
    return names;
}

}  // namespace

/// An open segment that another process left, ready to be gone on with.
struct SegmentStore::Left {
    std::unique_ptr<SegmentWriter> writer;
    std::unique_ptr<Names> names = std::make_unique<Names>();
    FooterBuilder footer;
    std::map<std::uint64_t, std::uint64_t> positions;
    std::uint64_t number = 0;
};

std::string SegmentStore::path_of(std::uint64_t number, std::string_view suffix) const {
    std::string digits = std::to_string(number);
    digits.insert(0, digits.size() < 8 ? 8 - digits.size() : 0, '0');
    return folder() + "/" + digits + std::string(suffix);
}

Result<std::unique_ptr<SegmentStore>> SegmentStore::open(const Options& options, std::uint64_t& recovered) {
    std::unique_ptr<SegmentStore> store(new SegmentStore(options));
    GYRE_TRY_VOID(make_directories(store->folder()));
    GYRE_TRY_VOID(make_directories(options.directory + "/spool"));
    std::vector<std::string> open_names;
    GYRE_TRY_VOID(store->scan_folder(open_names));
    GYRE_TRY_VOID(store->recover(open_names, recovered));
    GYRE_TRY_VOID(store->remove_spools());
    GYRE_TRY_VOID(store->start_segment());
    return store;
}

Result<void> SegmentStore::scan_folder(std::vector<std::string>& open_names) {
    GYRE_TRY(const std::vector<std::string> names, names_in(folder()));
    for (const std::string& name : names) {
        const std::string path = folder() + "/" + name;
        const auto number = parse_integer(name.substr(0, name.find('.')));
        if (!number || *number < 0) {
            continue;
        }
        number_ = std::max(number_, static_cast<std::uint64_t>(*number));
        if (name.ends_with(".new")) {
            static_cast<void>(::unlink(path.c_str()));  // killed before it was complete
        } else if (name.ends_with(".open")) {
            open_names.push_back(name);
        } else if (name.ends_with(".seg")) {
            auto footer = read_footer(path);
            if (!footer) {
                log_error("prediction_segment_damaged",
                          {{"segment", name}, {"reason", footer.error().message()}});
                continue;
            }
            sealed_.push_back({.path = path,
                               .number = static_cast<std::uint64_t>(*number),
                               .bytes = std::filesystem::file_size(path),
                               .footer = *std::move(footer)});
        }
    }
    return {};
}

Result<SegmentStore::Left> SegmentStore::scan_open(const std::string& name) {
    const std::string path = folder() + "/" + name;
    Left left;
    left.number = static_cast<std::uint64_t>(*parse_integer(name.substr(0, name.find('.'))));
    GYRE_TRY(FrameReader reader, FrameReader::open(path));
    std::uint64_t end = reader.offset();
    RecordDecoder decoder;
    for (;;) {
        GYRE_TRY(const std::optional<Frame> frame, reader.next());
        if (!frame || frame->kind == FrameKind::footer) {
            break;  // a footer is written anew
        }
        end = reader.offset();
        GYRE_TRY_VOID(left.names->add(*frame));
        if (frame->kind == FrameKind::missed) {
            GYRE_TRY(const Json json, parse_json(frame->payload));
            GYRE_TRY(const MissedRows missed, from_json<MissedRows>(json));
            left.footer.add_missed(missed);
        }
        if (frame->kind != FrameKind::rows) {
            continue;
        }
        left.positions[frame->spool] = std::max(left.positions[frame->spool], frame->to);
        for (std::string_view rest = frame->payload; !rest.empty(); rest.remove_prefix(decoder.size())) {
            const PredictionRecord* record = decoder.decode(rest, std::nullopt);
            const EndpointSchema* schema = record != nullptr ? left.names->schema(record->endpoint) : nullptr;
            if (schema == nullptr) {
                return data_loss("segment '" + name + "' is damaged: a record is not whole");
            }
            left.footer.add_row(schema->name, record->event_time_us);
        }
    }
    GYRE_TRY(left.writer, SegmentWriter::resume(path, end));
    return left;
}

Result<void> SegmentStore::recover(const std::vector<std::string>& open_names, std::uint64_t& recovered) {
    std::map<std::uint64_t, std::uint64_t> done;
    if (open_names.empty()) {
        GYRE_TRY(const std::vector<std::string> spools, names_in(options_.directory + "/spool"));
        if (!spools.empty()) {
            // A crash between sealing what was recovered and removing the rings that it came from.
            log_warn("prediction_spools_recovered_before",
                     {{"files", static_cast<std::uint64_t>(spools.size())}});
        }
    }
    for (std::size_t i = 0; i < open_names.size(); ++i) {
        GYRE_TRY(Left left, scan_open(open_names[i]));
        for (const auto& [spool, to] : left.positions) {
            done[spool] = std::max(done[spool], to);
        }
        if (i + 1 == open_names.size()) {
            GYRE_TRY_VOID(recover_spools(left, done, recovered));
        }
        if (left.footer.empty()) {
            if (::unlink(left.writer->path().c_str()) != 0) {
                return errno_error("remove '" + left.writer->path() + "'", errno);
            }
        } else {
            GYRE_TRY_VOID(seal_file(*left.writer, left.footer, left.number));
        }
    }
    return {};
}

/// Appends what the rings hold beyond the segments to the newest open segment, which has all their names.
Result<void> SegmentStore::recover_spools(Left& last, std::map<std::uint64_t, std::uint64_t>& done,
                                          std::uint64_t& recovered) {
    GYRE_TRY(const std::vector<std::string> names, names_in(options_.directory + "/spool"));
    RecordDecoder decoder;
    for (const std::string& name : names) {
        auto spool = Spool::open_left(options_.directory + "/spool/" + name);
        if (!spool) {
            log_warn("prediction_spool_skipped", {{"file", name}, {"reason", spool.error().message()}});
            continue;
        }
        const auto known = done.find((*spool)->id());
        std::uint64_t position = known == done.end() ? 0 : known->second;
        Spool::Run run = (*spool)->sound_run(position);
        if (run.records == 0 && (*spool)->released() > position) {
            run = (*spool)->sound_run((*spool)->released());
        }
        for (; run.records > 0; run = (*spool)->sound_run(run.to)) {
            GYRE_TRY_VOID(last.writer->write({.kind = FrameKind::rows,
                                              .records = run.records,
                                              .spool = (*spool)->id(),
                                              .from = run.from,
                                              .to = run.to,
                                              .payload = run.bytes}));
            recovered += run.records;
            for (std::string_view rest = run.bytes; !rest.empty(); rest.remove_prefix(decoder.size())) {
                const PredictionRecord* record = decoder.decode(rest, std::nullopt);
                const EndpointSchema* schema =
                    record != nullptr ? last.names->schema(record->endpoint) : nullptr;
                if (schema == nullptr || last.names->variant(record->variant) == nullptr) {
                    return data_loss("spool '" + name + "' holds a row of an unknown endpoint");
                }
                last.footer.add_row(schema->name, record->event_time_us);
            }
        }
    }
    return {};
}

/// Once their rows are in a sealed segment, rings of earlier processes go.
Result<void> SegmentStore::remove_spools() const {
    const std::string spools = options_.directory + "/spool";
    GYRE_TRY(const std::vector<std::string> names, names_in(spools));
    for (const std::string& name : names) {
        if (::unlink((spools + "/" + name).c_str()) != 0) {
            return errno_error("remove '" + spools + "/" + name + "'", errno);
        }
    }
    return {};
}

/// A new open segment that starts with every name and every ring's position.
Result<void> SegmentStore::start_segment() {
    const std::uint64_t number = number_ + 1;
    // Takes its name only when it is complete: recovery counts on the names in an open segment.
    const std::string unfinished = path_of(number, ".new");
    static_cast<void>(::unlink(unfinished.c_str()));  // of a start that failed half way
    GYRE_TRY(std::shared_ptr<SegmentWriter> writer, SegmentWriter::create(unfinished));
    for (std::size_t id = 0; id < names_.schemas(); ++id) {
        const std::string payload = names_.schema_payload(static_cast<EndpointId>(id));
        GYRE_TRY_VOID(writer->write({.kind = FrameKind::schema, .payload = payload}));
    }
    for (std::size_t id = 0; id < names_.variants(); ++id) {
        const std::string payload = names_.variant_payload(static_cast<VariantId>(id));
        GYRE_TRY_VOID(writer->write({.kind = FrameKind::variant, .payload = payload}));
    }
    for (const auto& [spool, to] : positions_) {
        GYRE_TRY_VOID(
            writer->write({.kind = FrameKind::rows, .spool = spool, .from = to, .to = to, .payload = {}}));
    }
    GYRE_TRY_VOID(writer->sync());
    GYRE_TRY_VOID(writer->rename(path_of(number, ".open")));
    GYRE_TRY_VOID(sync_directory(folder()));
    writer_ = std::move(writer);
    number_ = number;
    footer_ = {};
    return {};
}

Result<void> SegmentStore::seal_file(SegmentWriter& writer, const FooterBuilder& footer,
                                     std::uint64_t number) {
    const SegmentFooter built = footer.build();
    GYRE_TRY_VOID(writer.finish(built));
    const std::string path = path_of(number, ".seg");
    GYRE_TRY_VOID(writer.rename(path));
    GYRE_TRY_VOID(sync_directory(folder()));
    sealed_.push_back({.path = path, .number = number, .bytes = writer.bytes(), .footer = built});
    return {};
}

Result<void> SegmentStore::declare(EndpointId id, const EndpointSchema& schema) {
    Names one;
    one.set_schema(id, schema);
    const std::string payload = one.schema_payload(id);
    GYRE_TRY_VOID(writer_->write({.kind = FrameKind::schema, .payload = payload}));
    names_.set_schema(id, schema);
    return {};
}

Result<void> SegmentStore::declare(VariantId id, const VariantInfo& variant) {
    Names one;
    one.set_variant(id, variant);
    const std::string payload = one.variant_payload(id);
    GYRE_TRY_VOID(writer_->write({.kind = FrameKind::variant, .payload = payload}));
    names_.set_variant(id, variant);
    return {};
}

Result<void> SegmentStore::write_run(std::uint64_t spool, const Spool::Run& run) {
    GYRE_TRY_VOID(writer_->write({.kind = FrameKind::rows,
                                  .records = run.records,
                                  .spool = spool,
                                  .from = run.from,
                                  .to = run.to,
                                  .payload = run.bytes}));
    positions_[spool] = run.to;
    return {};
}

Result<void> SegmentStore::write_missed(const MissedRows& missed) {
    const std::string payload = to_json(missed).dump();
    GYRE_TRY_VOID(writer_->write({.kind = FrameKind::missed, .payload = payload}));
    footer_.add_missed(missed);
    return {};
}

Result<void> SegmentStore::rotate() {
    GYRE_TRY_VOID(seal_waiting());
    Waiting full{.writer = writer_, .footer = footer_, .number = number_};
    GYRE_TRY_VOID(start_segment());
    waiting_.push_back(std::move(full));
    return seal_waiting();
}

Result<void> SegmentStore::seal_waiting() {
    while (!waiting_.empty()) {
        const Waiting& next = waiting_.front();
        GYRE_TRY_VOID(seal_file(*next.writer, next.footer, next.number));
        waiting_.pop_front();
    }
    return {};
}

Result<void> SegmentStore::close() {
    GYRE_TRY_VOID(seal_waiting());
    if (!has_rows()) {
        static_cast<void>(::unlink(writer_->path().c_str()));
        return {};
    }
    return seal_file(*writer_, footer_, number_);
}

Result<std::size_t> SegmentStore::apply_retention() {
    std::map<std::string, std::int64_t, std::less<>> newest;
    std::uint64_t bytes = 0;
    for (const SegmentInfo& segment : sealed_) {
        bytes += segment.bytes;
        for (const SegmentEndpoint& endpoint : segment.footer.endpoints) {
            auto [entry, is_new] = newest.emplace(endpoint.name, endpoint.max_event_us);
            entry->second = std::max(entry->second, endpoint.max_event_us);
        }
    }
    const auto too_old = [&](const SegmentInfo& segment) {
        return options_.keep_us > 0 && std::ranges::all_of(segment.footer.endpoints, [&](const auto& each) {
                   return each.max_event_us == kNoTime ||
                          each.max_event_us < newest[each.name] - options_.keep_us;
               });
    };
    std::size_t removed = 0;
    for (std::size_t i = 0; i < sealed_.size();) {
        const bool too_much = options_.keep_bytes > 0 && bytes > options_.keep_bytes;
        if (!too_much && !too_old(sealed_[i])) {
            ++i;
            continue;
        }
        if (::unlink(sealed_[i].path.c_str()) != 0 && errno != ENOENT) {
            return errno_error("remove '" + sealed_[i].path + "'", errno);
        }
        bytes -= sealed_[i].bytes;
        sealed_.erase(sealed_.begin() + static_cast<std::ptrdiff_t>(i));
        ++removed;
    }
    return removed;
}

}  // namespace gyre::monitoring
