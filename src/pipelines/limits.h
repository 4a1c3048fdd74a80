#pragma once
// Every bound of the engine. Reaching one is an error or a recorded decision, never silence.
#include <cstddef>
#include <cstdint>

namespace gyre::pipelines {

inline constexpr std::size_t kStepsMax = 200;             // steps of one pipeline
inline constexpr std::size_t kParamsMax = 100;            // declared parameters of one pipeline
inline constexpr std::size_t kTriggersMax = 50;           // events and schedules of one pipeline, each
inline constexpr std::size_t kPipelinesMax = 1000;        // definitions in one project
inline constexpr std::size_t kNameBytesMax = 128;         // names of pipelines, steps, parameters
inline constexpr std::size_t kProblemsMax = 100;          // problems that one lint reports
inline constexpr std::int64_t kRetriesMax = 20;           // retries.max of a step
inline constexpr std::int64_t kInterruptionsMax = 10;     // attempts lost to restarts before the step is lost
inline constexpr std::size_t kReferencesMax = 32;         // ${{...}} in one text
inline constexpr std::size_t kTextBytesMax = 65'536;      // one text after its references are filled in
inline constexpr std::size_t kOutputsBytesMax = 262'144;  // outputs of one step, as JSON
inline constexpr std::size_t kParamsBytesMax = 65'536;    // parameters of one run, as JSON
inline constexpr std::size_t kReasonBytesMax = 4096;      // a step's error as it is kept
inline constexpr std::size_t kRunsLiveMax = 4;            // runs that have started and not ended (default)
inline constexpr std::size_t kRunsQueuedMax = 100;        // runs that wait for their turn (default)
inline constexpr std::size_t kWorkersMax = 64;            // threads that run steps
inline constexpr std::size_t kWorkRunsKept = 20;          // ended runs whose working files stay (default)
inline constexpr std::size_t kRunsPageMax = 500;          // runs or decisions in one answer
inline constexpr std::size_t kEventsPerPass = 200;        // events read at once by the trigger loop

}  // namespace gyre::pipelines
