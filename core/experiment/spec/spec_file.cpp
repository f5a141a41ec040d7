// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiment/spec/field_check.h"
#include "core/experiment/spec/json_scan.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"

#include <QDeadlineTimer>
#include <QFile>
#include <QJsonDocument>
#include <QScopeGuard>

#include <array>
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr qsizetype maxFileBytes = ExperimentSpec::maxFileBytes;
/// How long a pipe may take to give all of its content: nobody may write into it.
constexpr auto pipeLimit = std::chrono::seconds(5);

Error fileFault(const QString &fileName, const QString &found, const QString &allowed)
{
    return invalidArgument(fileName.isEmpty() ? SpecText::tr("experiment") : fileName, found,
                           allowed);
}

Error tooLarge(const QString &fileName)
{
    return fileFault(fileName, SpecText::tr("the file is too large"),
                     SpecText::tr("allowed: at most %1 MiB").arg(maxFileBytes / (1024 * 1024)));
}

Error noJson(const QByteArray &json, const QString &fileName, qsizetype offset,
             const QString &found, const QString &expected)
{
    Error error = fileFault(fileName, found, expected);
    error.subject += u':' % jsonPosition(json, offset);
    return error;
}

/// The object in @p json; @p duplicates gets the keys given twice.
Result<QJsonObject> readObject(const QByteArray &json, const QString &fileName,
                               QStringList &duplicates)
{
    if (json.size() > maxFileBytes)
        return tooLarge(fileName);
    const JsonScan scan = scanJson(json);
    if (scan.fault)
        return noJson(json, fileName, scan.fault->offset, scan.fault->found, scan.fault->expected);
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(json, &error);
    if (error.error != QJsonParseError::NoError && error.error != QJsonParseError::IllegalValue)
        return noJson(json, fileName, error.offset, error.errorString(), {});
    if (!document.isObject())
        return fileFault(
            fileName, document.isArray() ? SpecText::tr("a list") : SpecText::tr("a single value"),
            SpecText::tr("allowed: an object with version and kind"));
    duplicates = scan.duplicates;
    return document.object();
}

QList<Error> headFaults(const QJsonObject &object)
{
    QList<Error> faults;
    for (const QString &key : {u"version"_s, u"kind"_s}) {
        const bool isKind = key == u"kind"_s;
        const QJsonValue value = object.value(key);
        if (value.isUndefined())
            faults.append(invalidArgument(key, SpecText::tr("missing"),
                                          isKind
                                              ? SpecText::tr("the kind of the experiment is needed")
                                              : SpecText::tr("needed: %1").arg(1)));
        else if (isKind && !value.isString())
            faults.append(wrongType(key, value, SpecText::tr("a text")));
    }
    return faults;
}

/// Of a pipe or device what comes within the limit, up to its end.
Result<QByteArray> contentOf(const QString &fileName)
{
    const int fd = ::open(QFile::encodeName(fileName).constData(),
                          O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return osError(fileName, errno, SpecText::tr("open the file"));
    const auto closed = qScopeGuard([fd] { ::close(fd); });
    const auto failed = [&fileName](int code) {
        return osError(fileName, code, SpecText::tr("read the file"));
    };
    struct stat status = {};
    if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        return fileFault(fileName, SpecText::tr("a folder"), SpecText::tr("allowed: a file"));
    const QDeadlineTimer limit(pipeLimit);
    QByteArray content;
    std::array<char, 64 * 1024> part;
    while (content.size() <= maxFileBytes) {
        const ssize_t size = ::read(fd, part.data(), part.size());
        if (size > 0)
            content.append(part.data(), static_cast<qsizetype>(size));
        else if (size == 0)
            return content;
        else if (errno != EAGAIN && errno != EINTR)
            return failed(errno);
        pollfd ready = {fd, POLLIN, 0};
        if (size < 0 && ::poll(&ready, 1, static_cast<int>(limit.remainingTime())) == 0)
            return failed(ETIMEDOUT);
    }
    return tooLarge(fileName);
}

} // namespace

Result<ExperimentSpec> ExperimentSpec::parse(const QByteArray &json, const QString &fileName,
                                             QList<Error> *faults)
{
    QList<Error> found;
    const auto refuse = [&]() -> Error {
        if (faults)
            *faults = found;
        return found.first();
    };
    QStringList duplicates;
    const Result<QJsonObject> object = readObject(json, fileName, duplicates);
    if (!object) {
        found = {object.error()};
        return refuse();
    }
    for (const QString &path : duplicates)
        found.append(invalidArgument(printable(path), SpecText::tr("given twice"),
                                     SpecText::tr("allowed: once")));
    found += headFaults(*object);
    if (!object->value(u"kind"_s).isString())
        return refuse();

    ExperimentSpec spec(object->value(u"kind"_s).toString());
    spec.m_values = *object;
    spec.m_values.remove(u"kind"_s);
    spec.set(u"version"_s, object->value(u"version"_s));
    found += missingFields(spec);
    if (found.isEmpty() && spec.structureFaults().isEmpty())
        return spec;
    found += spec.check();
    return refuse();
}

Result<ExperimentSpec> ExperimentSpec::load(const QString &fileName, QList<Error> *faults)
{
    const Result<QByteArray> json = contentOf(fileName);
    if (json)
        return parse(*json, fileName, faults);
    if (faults)
        *faults = {json.error()};
    return json.error();
}

} // namespace proclab
