// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QJsonValue>
#include <QList>
#include <QString>
#include <QStringList>

namespace proclab {

class ExperimentSpec;

/// One field of an experiment, as the check, the form, `--set` and the result's `spec` all read it.
/// A new field needs a Field and the runner that uses it; no widget, no parser.
struct Field
{
    enum class Type {
        Integer,
        Number,
        Flag,
        Choice,        ///< One of `choices`.
        Text,          ///< `minimum` to `maximum` bytes of UTF-8.
        TextList,      ///< A list of texts, `minimum` to `maximum` of them.
        TextMap,       ///< An object of texts, `minimum` to `maximum` of them, by any names.
        IntegerOrAuto, ///< An integer of the range, or the text "auto".
        Workload,      ///< The name of a workload; its arguments stand in the sibling `args`.
        Arguments,     ///< An object of arguments for the sibling `task`.
        ArgumentsList, ///< A list of such objects, one a task.
    };

    QString path; ///< Dotted, from the top: "tasks.count", "time_limit_s".
    Type type = Type::Integer;
    QString group;     ///< The form's heading: "Tasks", "Run".
    QString label;     ///< The form's label: "Workers".
    QString unit = {}; ///< "s", "bytes", "tasks"; may be empty.
    QString help;      ///< One or two sentences.
    double minimum = 0;
    double maximum = 0;
    QStringList choices = {};
    QJsonValue defaultValue = {}; ///< Null: may stay absent and is then left out of the file.
    bool advanced = false;        ///< Shown below a fold, or in files only.
    /// The default where it follows from other fields; Undefined: none then. `defaultValue` is what
    /// it is most often.
    QJsonValue (*derivedDefault)(const ExperimentSpec &spec) = nullptr;
    /// What the default follows from, in words: from other fields or the machine; else empty.
    QString defaultText = {};
    bool manyLines = false; ///< Of a Text: it may have line ends, and is edited as lines.
};

/// Everything there is to set for one kind: the common fields, the kind's block, its tasks.
using Schema = QList<Field>;

} // namespace proclab
