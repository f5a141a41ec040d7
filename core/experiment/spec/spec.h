// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/result.h"
#include "core/experiment/spec/field.h"

#include <QJsonObject>
#include <QList>
#include <QString>

namespace proclab {

struct Kind;

/// One experiment (`*.proclab.json`) as a value: the kind and what was set; everything else has its
/// default. Copies are cheap. Use a copy per thread.
class ExperimentSpec
{
public:
    /// The longest file: the largest item of a pipeline fits, or the arguments of 100,000 tasks.
    static constexpr qsizetype maxFileBytes = 2 * 1024 * 1024;

    /// An experiment of the first kind that is available, with all defaults.
    ExperimentSpec();
    /// An experiment of @p kind with all defaults; an unknown kind gives a spec whose check() says
    /// so.
    explicit ExperimentSpec(const QString &kind);
    /// Parses @p json, which may be anything. Refuses more than 2 MiB, text that is no JSON
    /// (subject FILE:LINE:COLUMN with @p fileName), keys given twice, unknown keys, wrong types, an
    /// unknown version or kind, and a missing `tasks`. Then @p faults gets all that is wrong with
    /// it, ranges too. A wrong range alone is left to check().
    static Result<ExperimentSpec> parse(const QByteArray &json, const QString &fileName,
                                        QList<Error> *faults = nullptr);
    /// Reads and parses @p fileName; OsError if it cannot be read. Blocking, for a pipe 5 s at
    /// most.
    static Result<ExperimentSpec> load(const QString &fileName, QList<Error> *faults = nullptr);

    [[nodiscard]] QString kind() const { return m_kind; }
    /// The kind's registry row; null if the kind is unknown.
    [[nodiscard]] const Kind *kindInfo() const;

    /// What stands at @p path, else the field's (or the workload argument's) default, else
    /// Undefined.
    [[nodiscard]] QJsonValue value(const QString &path) const;
    [[nodiscard]] int integer(const QString &path) const { return value(path).toInt(); }
    [[nodiscard]] qint64 bigInteger(const QString &path) const { return value(path).toInteger(); }
    [[nodiscard]] double number(const QString &path) const { return value(path).toDouble(); }
    [[nodiscard]] bool flag(const QString &path) const { return value(path).toBool(); }
    [[nodiscard]] QString text(const QString &path) const { return value(path).toString(); }
    [[nodiscard]] bool isSet(const QString &path) const;
    /// Sets @p path as it stands, right or wrong; check() judges. Undefined takes it back to its
    /// default. Entries of a list have their number as key: "tasks.args_list.0".
    void set(const QString &path, const QJsonValue &value);
    /// Where it differs from @p original in more than the seed or the time limit, and has the title
    /// of that: says so in the title, which may promise what is no longer true.
    void tellChangesSince(const ExperimentSpec &original);

    /// Every fault, in the order of the schema, at most 1,000; the subject is the field's path.
    /// Empty: it can run.
    [[nodiscard]] QList<Error> check() const;

    /// What was set, as it stands in a file (`tasks.task` and `tasks.count` always); with Defaults
    /// everything filled in, as run. The entries of `args_list` stay as they are.
    enum class Fill { SetOnly, Defaults };
    [[nodiscard]] QJsonObject toJson(Fill fill = Fill::SetOnly) const;

    bool operator==(const ExperimentSpec &) const = default;

private:
    [[nodiscard]] QJsonValue stored(const QString &path) const;
    [[nodiscard]] QList<Error> structureFaults() const;
    void checkFields(QList<Error> &faults) const;
    [[nodiscard]] QString pathEndingIn(const QString &end) const;
    void checkKeys(const QJsonObject &object, const QString &prefix, QList<Error> &faults) const;

    QString m_kind;
    QJsonObject
        m_values; ///< As in the file, without `kind`, and without `version` where it is right.
};

} // namespace proclab
