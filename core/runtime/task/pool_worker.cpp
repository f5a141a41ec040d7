// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/kill_point.h"
#include "core/runtime/memory/object_space.h"
#include "core/runtime/memory/result_arena.h"
#include "core/runtime/task/task_registry.h"
#include "core/runtime/task/worker_process.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <unistd.h>

namespace proclab::runtime {

namespace {

/// Cuts @p text to @p size bytes without splitting a UTF-8 character; what is cut ends in "…".
std::string fitted(std::string text, std::size_t size)
{
    constexpr std::string_view ellipsis = "\xE2\x80\xA6";
    if (text.size() <= size)
        return text;
    std::size_t end = size - ellipsis.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    text.resize(end);
    text += ellipsis;
    return text;
}

class PoolWorker
{
public:
    explicit PoolWorker(WorkerProcess &process)
        : m_process(process)
        , m_header(process.header())
        , m_pool(m_header.part<PoolHeader>())
        , m_slot(process.slot())
        , m_ring(*m_header.at<TaskRing>(m_pool.ringOffset))
        , m_descriptors(m_header.at<TaskDescriptor>(m_pool.descriptorsOffset))
        , m_completions(*m_header.at<CompletionRing>(m_pool.completionsOffset +
                                                     process.slotIndex() * m_pool.completionBytes))
        , m_notes(m_header.tasksHash != 0 ? ownNotes() : nullptr)
    {
        if (m_notes)
            m_notes->setName("PoolWorker-" + std::to_string(m_slot.ordinal + 1));
    }

    /// Returns the exit code.
    int run()
    {
        takeEnvironment(m_process.input(m_pool.environment, 0));
        if (m_pool.initializer != noTask && !initialize())
            return initializerExitCode;
        while (!m_isRecycled && !isToLeave()) {
            if (const auto number =
                    m_ring.pop([this](std::uint32_t next) { return claim(next); })) {
                endSearch();
                runChunk(*number);
            } else if (!waitForTask()) {
                return 0;
            }
        }
        endSearch();
        m_slot.recycled.store(1, std::memory_order_release);
        PROCLAB_KILL_POINT("recycle.marked");
        return 0;
    }

private:
    /// An encoded result, and what the handles in it are of.
    struct EncodedResult
    {
        std::vector<std::byte> bytes;
        std::vector<ObjectRef> objects;
    };

    void tellFailure(std::uint32_t number, std::uint32_t position)
    {
        const std::uint64_t place = std::uint64_t{number} * m_pool.tasksPerDescriptor + position;
        TaskOutcome &outcome = m_header.at<TaskOutcome>(m_pool.outcomesOffset)[place];
        outcome = {};
        outcome.startedNs = m_slot.currentSinceNs.load(std::memory_order_relaxed);
        fail(m_descriptors[number].workload, outcome);
        outcome.finishedNs = nowNs();
    }

    [[nodiscard]] bool isToLeave() const
    {
        return m_slot.leave.load(std::memory_order_relaxed) != 0;
    }

    /// False if there will be none.
    bool waitForTask()
    {
        const std::int64_t limit = m_pool.idleLimitNs;
        const std::int64_t begin = nowNs();
        WaitScope noted;
        m_slot.beginIdling(begin);
        m_isSearching = true;
        const bool found = m_pool.idle.wait(
            m_process.slotIndex(), m_header.parkOf(), [this] { return !m_ring.isEmpty(); },
            [this, limit, begin, &noted] {
                noted.sleepsFor({WaitSubject::Type::Task}, limit != 0 ? begin + limit : noDeadline);
                m_isRecycled = isToLeave() || (limit != 0 && nowNs() - begin >= limit);
                return !m_isRecycled && m_process.goesOn();
            },
            limit != 0 ? std::min(limit, parkNs) : parkNs);
        m_slot.endIdling();
        m_isRecycled = m_isRecycled && !found;
        return found || m_isRecycled;
    }

    void endSearch()
    {
        if (std::exchange(m_isSearching, false))
            m_pool.idle.endSearch(m_process.slotIndex(), m_ring.size(), m_header.parkOf());
    }

    bool claim(std::uint32_t number)
    {
        std::uint64_t word = m_descriptors[number].word.load(std::memory_order_acquire);
        const TaskState state = TaskWord::state(word);
        if (state != TaskState::Ready && state != TaskState::Withdrawn)
            return false;
        const std::uint64_t mine =
            TaskWord::make(TaskWord::generation(word), m_process.slotIndex(),
                           state == TaskState::Ready ? TaskState::Running : TaskState::Done);
        PROCLAB_KILL_POINT("claim.before-exchange");
        return m_descriptors[number].word.compare_exchange_strong(word, mine,
                                                                  std::memory_order_acq_rel);
    }

    void runChunk(std::uint32_t number)
    {
        TaskDescriptor &task = m_descriptors[number];
        const std::uint64_t mine = task.word.load(std::memory_order_relaxed);
        if (TaskWord::state(mine) == TaskState::Done) { // It was withdrawn.
            tellDone(number);
            return;
        }
        m_slot.chunk.store(number, std::memory_order_release);
        PROCLAB_KILL_POINT("claim.named");
        const std::uint64_t outcomes = std::uint64_t{number} * m_pool.tasksPerDescriptor;
        const std::uint32_t end = endOfShare(task);
        if (m_notes)
            m_notes->events.record(EventKind::TaskBegan, task.workload, task.first);
        if ((task.flags & TaskDescriptor::packsResults) != 0)
            runPacked(number, end);
        else
            runOneByOne(task, outcomes, end);
        if (m_notes)
            m_notes->events.record(EventKind::TaskEnded, task.workload, task.first);
        if (end < task.count) {
            PROCLAB_KILL_POINT("recycle.inside-chunk");
            m_isRecycled = true; // The parent gives the rest of the chunk to the next worker.
            return;
        }
        task.word.store(
            TaskWord::make(TaskWord::generation(mine), m_process.slotIndex(), TaskState::Done),
            std::memory_order_release);
        PROCLAB_KILL_POINT("complete.done");
        if (m_ring.isEmpty()) {
            m_isSearching = true;
            m_pool.idle.beginSearch(m_process.slotIndex());
        }
        tellDone(number);
        m_isRecycled = m_pool.maxTasksPerWorker != 0 && m_slot.done() >= m_pool.maxTasksPerWorker;
    }

    /// Where this worker stops in a chunk: at its end, unless it may do only some more tasks.
    [[nodiscard]] std::uint32_t endOfShare(const TaskDescriptor &task) const
    {
        if (m_pool.maxTasksPerWorker == 0)
            return task.count;
        const std::uint64_t done = std::min(m_slot.done(), m_pool.maxTasksPerWorker);
        return static_cast<std::uint32_t>(
            std::min<std::uint64_t>(task.count, task.progress.load(std::memory_order_relaxed) +
                                                    m_pool.maxTasksPerWorker - done));
    }

    void runOneByOne(TaskDescriptor &task, std::uint64_t outcomes, std::uint32_t end)
    {
        std::int64_t now = nowNs();
        int attempt = (task.flags & TaskDescriptor::isRetry) != 0 ? 2 : 1;
        for (std::uint32_t i = task.progress.load(std::memory_order_relaxed); i < end; ++i)
            now = runTask(task, i, std::exchange(attempt, 1), outcomes + i, now);
    }

    /// The same for a registered task whose results lie side by side. It notes the progress of each
    /// call, so that a death costs one call only.
    void runPacked(std::uint32_t number, std::uint32_t end)
    {
        TaskDescriptor &task = m_descriptors[number];
        const TaskBody body = registeredTasks()[task.workload - firstRegisteredTask].run;
        const bool isSingle = task.count == 1;
        auto *const packed = m_header.at<std::byte>(
            m_pool.packedOffset + number * PackedResults::bytes(m_pool.tasksPerDescriptor));
        auto *const failed = isSingle ? &task.hasFailed : reinterpret_cast<std::uint8_t *>(packed);
        std::byte *const results = isSingle ? task.result.data() : packed + task.count;
        const std::byte *const inARow = argumentsInARow(task);
        std::int64_t now = nowNs();
        for (std::uint32_t i = task.progress.load(std::memory_order_relaxed); i < end; ++i) {
            if (m_pool.timesTasks != 0)
                now = nowNs();
            m_slot.begin(task.first + i, now);
            PROCLAB_KILL_POINT("loop.before");
            bool hasFailed = false;
            try {
                TaskResult result = {PayloadWriter(results + std::size_t{i} * task.resultBytes),
                                     m_result.objects};
                body(inARow
                         ? std::span(inARow + std::size_t{i} * task.args.stride, task.args.stride)
                         : argumentsOf(task, i),
                     result);
            } catch (...) {
                hasFailed = true;
                tellFailure(number, i);
            }
            PROCLAB_KILL_POINT("loop.returned");
            failed[i] = hasFailed ? 1 : 0;
            PROCLAB_KILL_POINT("loop.marked");
            task.progress.store(i + 1, std::memory_order_release);
            PROCLAB_KILL_POINT("loop.progress-noted");
            m_slot.finish();
        }
    }

    /// Where the arguments of a chunk's calls begin, if they lie in a row, args.stride bytes each;
    /// else null.
    [[nodiscard]] const std::byte *argumentsInARow(const TaskDescriptor &task) const
    {
        const ArgumentRange &range = task.args;
        if (range.offset == 0 || (task.flags & TaskDescriptor::ownArguments) == 0)
            return nullptr;
        // The last call's arguments lie in the input, so the others' do too.
        const bool areThere = m_process.input(range, task.count - 1).size() == range.size;
        return areThere ? m_process.inputSegment().data() + range.offset : nullptr;
    }

    void tellDone(std::uint32_t number)
    {
        m_completions.push(number);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (m_pool.parentArmed.load(std::memory_order_relaxed) != 0 &&
            m_pool.parentArmed.exchange(0, std::memory_order_acq_rel) != 0) {
            PROCLAB_KILL_POINT("complete.disarmed");
            m_process.wakeParent();
            PROCLAB_KILL_POINT("complete.told");
        }
    }

    /// Runs task @p position of a chunk, which begins now, at @p startNs; returns when it ended.
    std::int64_t runTask(TaskDescriptor &task, std::uint32_t position, int attempt,
                         std::uint64_t place, std::int64_t startNs)
    {
        const std::uint64_t index = task.first + position;
        m_slot.begin(index, startNs);
        // Reading the CPU clock is a system call, so it is read only for tasks that are long
        // enough.
        const bool isTimed = m_lastNs > longTaskNs;
        const ThreadUsage before = isTimed ? threadUsage() : ThreadUsage();
        TaskOutcome &outcome = m_header.at<TaskOutcome>(m_pool.outcomesOffset)[place];
        outcome.error = OutcomeError::None;
        outcome.value = {};
        PROCLAB_KILL_POINT("run.before");
        if (task.workload >= firstRegisteredTask)
            runRegistered(task.workload, argumentsOf(task, position), outcome);
        else
            runWorkload(task.workload, argumentsOf(task, position), index, attempt, outcome,
                        m_header.at<OutcomeText>(m_pool.textsOffset)[place]);
        PROCLAB_KILL_POINT("run.outcome-written");
        const std::int64_t endNs = nowNs();
        m_lastNs = endNs - startNs;
        outcome.startedNs = startNs;
        outcome.finishedNs = endNs;
        outcome.spent = isTimed && m_lastNs > longTaskNs
                            ? threadUsage().spentSince(before, m_lastNs)
                            : Spent::OnCore;
        PROCLAB_KILL_POINT("run.outcome-timed");
        task.progress.store(position + 1, std::memory_order_release);
        PROCLAB_KILL_POINT("run.progress-noted");
        m_slot.finish();
        return endNs;
    }

    [[nodiscard]] std::span<const std::byte> argumentsOf(const TaskDescriptor &task,
                                                         std::uint32_t position) const
    {
        if (task.args.offset == 0)
            return std::span<const std::byte>(task.inlineArgs)
                .first(std::min<std::size_t>(task.inlineSize, TaskDescriptor::inlineBytes));
        const bool isOwn = task.args.stride == ArgumentRange::eachOwn ||
                           (task.flags & TaskDescriptor::ownArguments) != 0;
        return m_process.input(task.args, isOwn ? position : task.first + position);
    }

    void runWorkload(std::uint32_t workload, std::span<const std::byte> args, std::uint64_t index,
                     int attempt, TaskOutcome &outcome, OutcomeText &place)
    {
        if (m_process.run(workload, args, index, attempt, outcome.value, m_text))
            return;
        outcome.error = OutcomeError::Exception;
        const std::string text = fitted(m_text, outcomeTextBytes);
        outcome.textSize = static_cast<std::uint16_t>(text.size());
        std::memcpy(place.data(), text.data(), text.size());
    }

    void runRegistered(std::uint32_t number, std::span<const std::byte> args, TaskOutcome &outcome)
    {
        const RegisteredTask &task = registeredTasks()[number - firstRegisteredTask];
        try {
            runInto(m_result, task, args);
            PROCLAB_KILL_POINT("run.returned");
            if (m_result.objects.empty())
                outcome.value = publish();
            else
                publishParcel(outcome.value);
            return;
        } catch (...) {
            fail(number, outcome);
        }
    }

    static void runInto(EncodedResult &result, const RegisteredTask &task,
                        std::span<const std::byte> args)
    {
        result.bytes.clear();
        result.objects.clear();
        TaskResult place = {PayloadWriter(result.bytes), result.objects};
        task.run(args, place);
    }

    /// Called in a catch block: writes what task @p number threw.
    void fail(std::uint32_t number, TaskOutcome &outcome)
    {
        outcome.error = OutcomeError::Exception;
        PROCLAB_KILL_POINT("run.threw");
        m_result.objects.clear();
        m_result.bytes = encodePayload(
            describeCurrentException(registeredTasks()[number - firstRegisteredTask].name));
        outcome.value = publish();
    }

    /// Puts the bytes of m_result where the parent reads them; throws if there can't be room.
    TaskValue publish()
    {
        const std::vector<std::byte> &bytes = m_result.bytes;
        TaskValue value;
        if (bytes.size() <= TaskValue::inlineBytes) {
            value.type = TaskValue::Type::Bytes;
            value.size = static_cast<std::uint8_t>(bytes.size());
            std::copy(bytes.begin(), bytes.end(),
                      value.bytes); // Empty if the task returns nothing.
            return value;
        }
        value.type = TaskValue::Type::Extent;
        value.extent = store();
        return value;
    }

    /// The same for a result with handles, which goes into a parcel. The parent holds the parcel
    /// from now on, so the end of this process does not matter. If that comes before the task
    /// counts as done, the parent finds the parcel in @p value and drops it.
    void publishParcel(TaskValue &value)
    {
        ObjectSpace &space = ObjectSpace::instance();
        const ObjectRef parcel = m_pool.parentSharer != 0
                                     ? space.pack(m_result.objects, m_result.bytes.size())
                                     : nullptr;
        if (!parcel)
            throw EncodeFailure("no room for what the result's handles are of");
        std::ranges::copy(m_result.bytes, parcel->body<ParcelBody>().payload());
        PROCLAB_KILL_POINT("result.packed");
        value.parcel = {parcel->handle().index, parcel->handle().generation, m_result.bytes.size()};
        value.type = TaskValue::Type::Parcel;
        std::atomic_thread_fence(std::memory_order_release);
        PROCLAB_KILL_POINT("result.named");
        space.holdFor(m_pool.parentSharer, *parcel);
        PROCLAB_KILL_POINT("result.handed-over");
        m_result.objects.clear();
    }

    ResultExtent store()
    {
        auto &arena = m_header.at<ResultArena>(m_pool.arenasOffset)[m_process.slotIndex()];
        const std::uint64_t size = m_result.bytes.size();
        if (size > arena.capacity())
            throw EncodeFailure("a result of " + std::to_string(size) +
                                " bytes; the pool has room for " +
                                std::to_string(arena.capacity()));
        std::optional<std::uint64_t> position;
        while (!(position = arena.allocate(size))) {
            if (!m_process.goesOn())
                ::_exit(0); // Nobody is left to read it.
            m_process.wakeParent();
            ::usleep(fullArenaPauseUs);
        }
        std::memcpy(m_header.at<std::byte>(m_pool.resultsOffset) +
                        m_process.slotIndex() * arena.capacity() + arena.offsetOf(*position),
                    m_result.bytes.data(), size);
        PROCLAB_KILL_POINT("result.copied");
        return {*position, size};
    }

    /// False if it threw; the slot then holds the exception.
    bool initialize()
    {
        const RegisteredTask &task = registeredTasks()[m_pool.initializer - firstRegisteredTask];
        try {
            runInto(m_result, task, m_process.input(m_pool.initializerArgs, 0));
            return true;
        } catch (...) {
            m_result.bytes = encodePayload(describeCurrentException(task.name));
            m_slot.failure = store();
            return false;
        }
    }

    static constexpr std::int64_t longTaskNs = 50'000;
    static constexpr useconds_t fullArenaPauseUs = 200;

    WorkerProcess &m_process;
    RunHeader &m_header;
    PoolHeader &m_pool;
    ProcessSlot &m_slot;
    TaskRing &m_ring;
    TaskDescriptor *m_descriptors;
    CompletionRing &m_completions;
    ProcessNotes *const m_notes; ///< Null: the lab's worker program, which has none.
    std::string m_text;
    EncodedResult m_result;
    std::int64_t m_lastNs = longTaskNs + 1;
    bool m_isRecycled = false;
    bool m_isSearching = false; ///< Or was, see IdleWorkers::endSearch().
};

} // namespace

int runPoolWorker(WorkerProcess &process)
{
    return PoolWorker(process).run();
}

} // namespace proclab::runtime
