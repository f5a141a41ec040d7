// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/run/task_input.h"

#include "core/runtime/workloads/workload.h"

#include <QJsonArray>

#include <cerrno>
#include <cstring>

#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qsizetype alignment = 16;

std::vector<std::byte> encoded(const runtime::WorkloadInfo &workload, const QJsonObject &values)
{
    std::vector<runtime::ArgumentValue> arguments;
    for (const runtime::ArgumentInfo &info : workload.arguments) {
        const QJsonValue value =
            values.value(QLatin1StringView(info.name.data(), static_cast<int>(info.name.size())));
        switch (info.type) {
        case runtime::ArgumentType::Integer:
            arguments.emplace_back(value.isUndefined()
                                       ? static_cast<std::int64_t>(info.defaultNumber)
                                       : static_cast<std::int64_t>(value.toInteger()));
            break;
        case runtime::ArgumentType::Number:
            arguments.emplace_back(value.toDouble(info.defaultNumber));
            break;
        case runtime::ArgumentType::Flag:
            arguments.emplace_back(value.toBool(info.defaultNumber != 0));
            break;
        case runtime::ArgumentType::Text:
            arguments.emplace_back(value.isUndefined() ? std::string(info.defaultText)
                                                       : value.toString().toStdString());
            break;
        }
    }
    return runtime::encodeArguments(arguments);
}

} // namespace

TaskInput::TaskInput() : m_bytes(64, '\0') {}

runtime::ArgumentRange TaskInput::addArguments(const ExperimentSpec &spec, const QString &path)
{
    const runtime::WorkloadInfo &workload = runtime::workloads()[workloadNumber(spec, path)];
    std::vector<std::vector<std::byte>> all;
    const QString listPath = path % u".args_list"_s;
    const bool isList = spec.isSet(listPath);
    if (isList) {
        for (const QJsonValue &values : spec.value(listPath).toArray())
            all.push_back(encoded(workload, values.toObject()));
    } else {
        all.push_back(encoded(workload, spec.value(path % u".args"_s).toObject()));
    }
    qsizetype size = 0;
    for (const auto &one : all)
        size = std::max(size, static_cast<qsizetype>(one.size()));
    const qsizetype stride = (size + alignment - 1) / alignment * alignment;
    const auto offset = static_cast<quint64>(m_bytes.size());
    for (const auto &one : all) {
        const auto length = static_cast<qsizetype>(one.size());
        m_bytes.append(reinterpret_cast<const char *>(one.data()), length);
        m_bytes.append(stride - length, '\0');
    }
    return {offset, static_cast<quint32>(size), isList ? static_cast<quint32>(stride) : 0U};
}

Result<runtime::Segment> TaskInput::makeSegment() const
{
    const auto size = static_cast<std::size_t>(m_bytes.size());
    runtime::Segment writable = runtime::Segment::create("proclab-input", size);
    if (!writable.isValid())
        return osError({}, errno, ErrorText::tr("shared memory for arguments"));
    std::memcpy(writable.data(), m_bytes.constData(), size);
    // From here on nobody can write it: the workers inherit a descriptor that only reads.
    const int fd = writable.openReadOnly();
    runtime::Segment readOnly =
        fd >= 0 ? runtime::Segment::attach(fd, runtime::Segment::Access::ReadOnly)
                : runtime::Segment();
    if (!readOnly.isValid())
        return osError({}, errno, ErrorText::tr("shared memory for arguments"));
    return readOnly;
}

std::vector<std::byte> encodedArguments(const ExperimentSpec &spec, const QString &path,
                                        qsizetype index)
{
    const QString listPath = path % u".args_list"_s;
    const QJsonValue arguments = spec.isSet(listPath) ? spec.value(listPath).toArray().at(index)
                                                      : spec.value(path % u".args"_s);
    return encoded(runtime::workloads()[workloadNumber(spec, path)], arguments.toObject());
}

quint32 workloadNumber(const ExperimentSpec &spec, const QString &path)
{
    const std::string name = spec.text(path % u".task"_s).toStdString();
    const runtime::WorkloadInfo *workload = runtime::findWorkload(name);
    return workload ? static_cast<quint32>(workload - runtime::workloads().data())
                    : runtime::noTask;
}

} // namespace proclab
