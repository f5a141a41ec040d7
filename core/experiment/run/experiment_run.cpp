// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/experiment_run.h"

#include "core/experiment/run/run_sampler.h"
#include "core/experiment/run/runner.h"
#include "core/experiment/spec/kind.h"
#include "core/monitor/linux_process_source.h"
#include "core/process/engine.h"
#include "core/runtime/clock.h"

#include <QRandomGenerator>
#include <QSemaphore>
#include <QTimer>

#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int shutDownMs = 4'000;

/// 1 … 2^53−1: what a JSON number carries exactly.
quint64 drawSeed()
{
    return (QRandomGenerator::global()->generate64() >> 11) | 1;
}

} // namespace

/// The part of a run that lives in the engine's thread.
class ExperimentRun::Session : public QObject
{
    Q_OBJECT

public:
    Session(Engine &engine, const ExperimentSpec &spec, std::shared_ptr<RunLog> log, bool canType)
        : m_spec(spec)
        , m_canType(canType)
        , m_log(std::move(log))
        , m_engine(engine)
    {}

    void begin()
    {
        m_beganNs = runtime::nowNs();
        m_runner = m_spec.kindInfo()->makeRunner({m_engine, m_spec, *m_log, m_canType});
        connect(m_runner.get(), &ExperimentRunner::opened, this, &Session::noteOpened);
        connect(m_runner.get(), &ExperimentRunner::finished, this, &Session::finish);
        m_deadline.setSingleShot(true);
        m_deadline.setTimerType(Qt::PreciseTimer); // A coarse one may end a run early.
        connect(&m_deadline, &QTimer::timeout, this, [this] {
            m_result.timeLimitReached = true;
            m_log->addEvent({elapsedNs(), RunEvent::Severity::Warning, -1, {"time_limit"_ba}});
            m_runner->stop(StopReason::TimeIsUp);
        });
        if (const auto started = m_runner->start(); !started) {
            m_result.engineError = started.error();
            m_log->addEvent({0, RunEvent::Severity::Failure, -1,
                             errorNote("engine_failed"_ba, started.error())});
            finish();
            return;
        }
        m_sampler = std::make_unique<RunSampler>(*m_runner, *m_log, m_processSource);
        m_sampler->start();
    }

    void stop()
    {
        if (m_isFinished || !m_runner)
            return;
        m_result.stopped = true;
        m_runner->stop(StopReason::Stopped);
    }

    void sendSignal(int process, int signal)
    {
        if (!m_isFinished && m_runner)
            m_runner->sendSignal(process, signal);
    }

    void type(int process, const QString &text)
    {
        if (!m_isFinished && m_runner)
            m_runner->type(process, text);
    }

    void endInput(int process)
    {
        if (!m_isFinished && m_runner)
            m_runner->endInput(process);
    }

    [[nodiscard]] qint64 gateNs() const { return m_gateNs.load(std::memory_order_acquire); }
    /// Valid once ended() was emitted.
    [[nodiscard]] const RunResult &result() const { return m_result; }
    /// Released when every child is gone.
    QSemaphore finished;

Q_SIGNALS:
    void opened();
    void ended();

private:
    [[nodiscard]] qint64 elapsedNs() const
    {
        return gateNs() != 0 ? runtime::nowNs() - gateNs() : 0;
    }

    void noteOpened()
    {
        m_gateNs.store(m_runner->gateNs(), std::memory_order_release);
        m_result.started = QDateTime::currentDateTimeUtc();
        m_result.startupSeconds = static_cast<double>(m_runner->gateNs() - m_beganNs) / 1e9;
        const double limit = m_spec.number(u"time_limit_s"_s);
        if (limit > 0)
            m_deadline.start(std::chrono::milliseconds(qRound64(limit * 1'000)));
        Q_EMIT opened();
    }

    void finish()
    {
        if (m_isFinished)
            return;
        m_isFinished = true;
        m_deadline.stop();
        if (m_sampler) {
            m_sampler->stop();
            m_sampler.reset();
        }
        m_result.spec = m_spec;
        m_result.seed = static_cast<quint64>(m_spec.bigInteger(u"seed"_s));
        m_result.log = m_log;
        if (!m_result.started.isValid())
            m_result.started = QDateTime::currentDateTimeUtc();
        const std::optional<Error> startError = m_result.engineError;
        m_runner->complete(m_result);
        if (startError)
            m_result.engineError = startError;
        RunTotals &totals = m_result.totals;
        if (m_result.elapsedSeconds > 0)
            totals.throughputPerS = static_cast<double>(totals.done) / m_result.elapsedSeconds;
        // The runner may be on the stack: it goes with the next turn of the loop.
        m_runner.release()->deleteLater();
        finished.release();
        Q_EMIT ended();
    }

    ExperimentSpec m_spec;
    const bool m_canType;
    std::shared_ptr<RunLog> m_log;
    Engine &m_engine;
    std::unique_ptr<ExperimentRunner> m_runner;
    QTimer m_deadline{this};
    qint64 m_beganNs = 0;
    std::atomic<qint64> m_gateNs{0};
    RunResult m_result;
    bool m_isFinished = false;
    LinuxProcessSource m_processSource;
    std::unique_ptr<RunSampler> m_sampler;
};

ExperimentRun::ExperimentRun(Engine &engine, ExperimentSpec spec, QObject *parent)
    : RunSource(parent)
    , m_engine(engine)
    , m_spec(std::move(spec))
    , m_log(std::make_shared<RunLog>())
{
    ProcessRecord main;
    main.name = u"main"_s;
    main.pid = ::getpid();
    main.colorIndex = -1;
    main.startNs = runtime::nowNs();
    m_log->addProcess(main);
}

ExperimentRun::~ExperimentRun()
{
    if (!m_session || m_state == State::Ended)
        return;
    m_session->disconnect(this);
    QMetaObject::invokeMethod(m_session.get(), &Session::stop, Qt::QueuedConnection);
    m_session->finished.tryAcquire(1, shutDownMs);
}

Result<void> ExperimentRun::start()
{
    if (m_state != State::Idle)
        return Error{ErrorCode::InvalidState, {}, {}, {}, 0};
    if (const QList<Error> faults = m_spec.check(); !faults.isEmpty())
        return faults.first();
    if (m_spec.bigInteger(u"seed"_s) == 0)
        m_spec.set(u"seed"_s, static_cast<qint64>(drawSeed()));
    m_session = std::shared_ptr<Session>(new Session(m_engine, m_spec, m_log, m_canType),
                                         [](Session *session) { session->deleteLater(); });
    m_session->moveToThread(m_engine.context()->thread());
    connect(m_session.get(), &Session::opened, this, [this] {
        if (m_state == State::Starting)
            setState(State::Running);
    });
    connect(m_session.get(), &Session::ended, this, [this] {
        m_result = m_session->result();
        setState(State::Ended);
        Q_EMIT ended();
    });
    setState(State::Starting);
    QMetaObject::invokeMethod(m_session.get(), &Session::begin, Qt::QueuedConnection);
    return {};
}

void ExperimentRun::stop()
{
    if (!goesOn())
        return;
    setState(State::Stopping);
    QMetaObject::invokeMethod(m_session.get(), &Session::stop, Qt::QueuedConnection);
}

void ExperimentRun::sendSignal(int process, int signal)
{
    if (!goesOn())
        return;
    QMetaObject::invokeMethod(
        m_session.get(),
        [session = m_session.get(), process, signal] { session->sendSignal(process, signal); },
        Qt::QueuedConnection);
}

void ExperimentRun::type(int process, const QString &text)
{
    if (!goesOn())
        return;
    QMetaObject::invokeMethod(
        m_session.get(),
        [session = m_session.get(), process, text] { session->type(process, text); },
        Qt::QueuedConnection);
}

void ExperimentRun::endInput(int process)
{
    if (!goesOn())
        return;
    QMetaObject::invokeMethod(
        m_session.get(), [session = m_session.get(), process] { session->endInput(process); },
        Qt::QueuedConnection);
}

bool ExperimentRun::goesOn() const
{
    return m_state == State::Starting || m_state == State::Running;
}

double ExperimentRun::elapsedSeconds() const
{
    if (m_state == State::Ended)
        return m_result.elapsedSeconds;
    const qint64 gate = m_session ? m_session->gateNs() : 0;
    return gate != 0 ? static_cast<double>(runtime::nowNs() - gate) / 1e9 : 0;
}

void ExperimentRun::setState(State state)
{
    m_state = state;
    Q_EMIT stateChanged(state);
}

} // namespace proclab

#include "experiment_run.moc"
