// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/kinds/program/program_instance.h"

#include "core/program/exchange.h"

#include <QJsonArray>

#include <cerrno>

#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qsizetype readBytes = 1 << 16;

std::optional<int> descriptorOf(const Program &program, OutputPiece::Stream stream)
{
    return program.descriptor(stream == OutputPiece::Stream::Output ? Program::Stream::Output
                                                                    : Program::Stream::Error);
}

bool isTemporary(int code)
{
    return code == EAGAIN || code == EINTR;
}

} // namespace

ProgramOptions programOptionsOf(const ExperimentSpec &spec)
{
    ProgramOptions options;
    for (const QJsonValue &word : spec.value(u"program.command"_s).toArray())
        options.arguments.append(word.toString().toUtf8());
    options.workingDirectory = spec.text(u"program.working_directory"_s).toUtf8();
    options.input = options.output = options.error = Redirect::pipe();
    QMap<QByteArray, QByteArray> variables;
    for (char **each = ::environ; each && *each; ++each) {
        const QByteArray variable(*each);
        if (const qsizetype equals = variable.indexOf('='); equals > 0)
            variables.insert(variable.first(equals), variable.sliced(equals + 1));
    }
    const QJsonObject own = spec.value(u"program.environment"_s).toObject();
    for (auto each = own.begin(); each != own.end(); ++each)
        variables.insert(each.key().toUtf8(), each->toString().toUtf8());
    options.environment = variables;
    return options;
}

TextFormat programFormatOf(const ExperimentSpec &spec)
{
    const QString name = spec.text(u"program.encoding"_s);
    if (name == u"latin-1"_s)
        return {QStringConverter::Latin1};
    if (name == u"utf-16-le"_s)
        return {QStringConverter::Utf16LE};
    return {name == u"utf-16-be"_s ? QStringConverter::Utf16BE : QStringConverter::Utf8};
}

void ProgramInstance::addPolled(std::vector<pollfd> &polled) const
{
    if (!unsent.isEmpty())
        polled.push_back({program.inputDescriptor().value_or(-1), POLLOUT, 0});
    if (isOutputOpen)
        polled.push_back({descriptorOf(program, Stream::Output).value_or(-1), POLLIN, 0});
    if (isErrorOpen)
        polled.push_back({descriptorOf(program, Stream::Error).value_or(-1), POLLIN, 0});
    if (!hasEnded())
        polled.push_back({pidFd.get(), POLLIN, 0});
}

QByteArray ProgramInstance::send()
{
    QByteArray sent;
    const auto descriptor = program.inputDescriptor();
    if (descriptor && !unsent.isEmpty()) {
        const ssize_t size = writeQuietly(*descriptor, unsent);
        if (size > 0) {
            sent = unsent.first(size);
            unsent.remove(0, size);
        } else if (!isTemporary(errno)) { // It reads no more, which is no error.
            unsent.clear();
            keepsInput = false;
        }
    }
    if (unsent.isEmpty() && !keepsInput)
        program.closeInput();
    return sent;
}

std::optional<QString> ProgramInstance::read(Stream stream)
{
    bool &isOpen = stream == Stream::Output ? isOutputOpen : isErrorOpen;
    const auto descriptor = descriptorOf(program, stream);
    if (!isOpen || !descriptor)
        return std::nullopt;
    QByteArray bytes(readBytes, Qt::Uninitialized);
    const ssize_t size = ::read(*descriptor, bytes.data(), static_cast<std::size_t>(readBytes));
    if (size > 0)
        return kept(stream).take(QByteArrayView(bytes).first(size));
    if (size < 0 && isTemporary(errno))
        return QString();
    isOpen = false;
    return std::nullopt;
}

TaskRecord ProgramInstance::record(const ProcessRecord &process, std::size_t number,
                                   bool checksCode) const
{
    TaskRecord record;
    record.index = static_cast<quint32>(number);
    record.process = log;
    record.startedNs = process.startNs;
    record.finishedNs = process.endNs;
    if (isTimedOut) {
        record.status = TaskStatus::Failed;
        record.error = TaskError::Timeout;
    } else if (process.endedByRun) {
        record.status = TaskStatus::Cancelled;
        record.error = TaskError::Cancelled;
    } else if (checksCode && !endedWell()) {
        record.status = TaskStatus::Failed;
        record.error = exit.signal != 0 ? TaskError::Signal : TaskError::Exit;
    }
    record.valueType = TaskRecord::ValueType::Unsigned;
    record.unsignedInteger = process.done;
    if (record.status != TaskStatus::Done)
        record.code = static_cast<qint16>(exit.signal != 0 ? exit.signal : exit.exitCode);
    return record;
}

QJsonObject ProgramInstance::outcome() const
{
    return {{u"exit_code"_s, exit.exitCode}, {u"signal"_s, exit.signal},
            {u"timed_out"_s, isTimedOut},    {u"stdout"_s, output.text()},
            {u"stderr"_s, error.text()},     {u"dropped_bytes"_s, droppedBytes()}};
}

} // namespace proclab
