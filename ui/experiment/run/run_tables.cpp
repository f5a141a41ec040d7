// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/run/run_tables.h"

#include "ui/experiment/stage/process_look.h"
#include "ui/experiment/stage/stage_painting.h"
#include "ui/shared/theme.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int tableRowHeight = 28;
constexpr int cellPadding = 8;
constexpr int processColumnWidth = 148; // A badge and "consumer-128".
constexpr double badgeWidth = 38;
constexpr double badgeHeight = 16;
// Which colour a cell's text has; a value of Tone.
constexpr int toneRole = badgeRole + 1;
enum class Tone { Plain, Dim, Warning, Failure };

constexpr auto numberAlignment = static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);

/// Seconds on the run's axis with six decimals, aligned below each other.
QString secondsText(qint64 timeNs)
{
    QString text = QString::number(static_cast<double>(timeNs) / 1e9, 'f', 6);
    if (text.startsWith(u'-'))
        text[0] = QChar(0x2212);
    return text;
}

QString errorName(TaskError error)
{
    switch (error) {
    case TaskError::None:
        return {};
    case TaskError::Exception:
        return ResultsModel::tr("exception");
    case TaskError::Exit:
        return ResultsModel::tr("exit");
    case TaskError::Signal:
        return ResultsModel::tr("signal");
    case TaskError::Timeout:
        return ResultsModel::tr("timeout");
    case TaskError::Lost:
        return ResultsModel::tr("lost");
    case TaskError::Cancelled:
        return ResultsModel::tr("cancelled");
    }
    return {};
}

QString errorTextOf(const RunLog &log, const TaskRecord &task)
{
    QString text = errorName(task.error);
    if (task.error == TaskError::Exit || task.error == TaskError::Signal)
        text += u' ' % QString::number(task.code);
    if (task.message >= 0 && static_cast<std::size_t>(task.message) < log.texts.size())
        text += u": "_s % QString::fromUtf8(log.texts[static_cast<std::size_t>(task.message)]);
    return text;
}

/// What came out of a task; whole numbers with their digits in groups.
QString valueText(const RunLog &log, const TaskRecord &task)
{
    using Type = TaskRecord::ValueType;
    const QString text = taskValueText(log, task);
    bool hasGroups = task.valueType == Type::Integer || task.valueType == Type::Unsigned;
    const qint64 number = hasGroups ? text.toLongLong(&hasGroups) : 0;
    return hasGroups ? groupedNumber(number) : text;
}

QString processName(const QList<ProcessRecord> &processes, int process)
{
    return process >= 0 && process < processes.size() ? processes[process].name : QString();
}

/// The badge of the process that a cell names: see badgeRole.
QVariant badgeOf(const QList<ProcessRecord> &processes, int process)
{
    return process >= 0 && process < processes.size() ? QVariant::fromValue(processes[process])
                                                      : QVariant();
}

QString pidText(const QList<ProcessRecord> &processes, int process)
{
    return process >= 0 && process < processes.size() ? QString::number(processes[process].pid)
                                                      : QString();
}

/// Paints cells in the lab's style: lines between rows, numbers in the fixed-width face.
class CellDelegate final : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter *painter, const QStyleOptionViewItem &option,
               const QModelIndex &index) const override
    {
        const Theme &theme = Theme::current();
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->fillRect(option.rect, selected ? theme.accentTint : theme.panel);
        if (selected && index.column() == 0)
            painter->fillRect(QRect(option.rect.topLeft(), QSize(3, option.rect.height())),
                              theme.accent);
        painter->fillRect(QRect(option.rect.bottomLeft(), QSize(option.rect.width(), 1)),
                          theme.grid);
        const auto alignment = Qt::Alignment(index.data(Qt::TextAlignmentRole).toInt());
        const bool number = alignment.testFlag(Qt::AlignRight);
        const QFont font = number ? monoFont(TextSize::Small) : textFont(TextSize::Small);
        QRect room = option.rect.adjusted(cellPadding, 0, -cellPadding, 0);
        QString text = index.data().toString();
        if (const QVariant cell = index.data(badgeRole); cell.isValid()) {
            const auto process = cell.value<ProcessRecord>();
            room.setLeft(paintBadge(*painter, room, process));
            if (shortName(process) == text)
                text.clear();
        }
        painter->setFont(font);
        painter->setPen(textColor(static_cast<Tone>(index.data(toneRole).toInt())));
        painter->drawText(room,
                          static_cast<int>(number ? Qt::AlignRight | Qt::AlignVCenter
                                                  : Qt::AlignLeft | Qt::AlignVCenter),
                          QFontMetrics(font).elidedText(text, Qt::ElideRight, room.width()));
    }

private:
    /// Returns where the text begins.
    static int paintBadge(QPainter &painter, const QRect &room, const ProcessRecord &process)
    {
        const QRectF badge(room.left(), room.center().y() - badgeHeight / 2 + 0.5, badgeWidth,
                           badgeHeight);
        painter.save();
        drawBadge(painter, badge, shortName(process), process.colorIndex, hasCrashed(process),
                  TextSize::Caption);
        painter.restore();
        return static_cast<int>(badge.right()) + cellPadding;
    }

    static QColor textColor(Tone tone)
    {
        const Theme &theme = Theme::current();
        switch (tone) {
        case Tone::Dim:
            return theme.text3;
        case Tone::Warning:
            return theme.warn;
        case Tone::Failure:
            return theme.crash;
        case Tone::Plain:
            break;
        }
        return theme.text;
    }
};

bool isNumber(int column)
{
    return column != ResultWorker && column != ResultError;
}

} // namespace

void EventsModel::setRun(std::shared_ptr<const RunLog> log)
{
    beginResetModel();
    m_log = std::move(log);
    m_processes = m_log ? m_log->processes() : QList<ProcessRecord>();
    m_rows = m_log ? static_cast<int>(m_log->events().size()) : 0;
    endResetModel();
}

void EventsModel::refresh()
{
    if (!m_log)
        return;
    const auto size = static_cast<int>(m_log->events().size());
    if (size == m_rows)
        return;
    // Events may be about processes that have started since; names never change.
    m_processes = m_log->processes();
    beginInsertRows({}, m_rows, size - 1);
    m_rows = size;
    endInsertRows();
}

int EventsModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : m_rows;
}

int EventsModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : EventColumnCount;
}

QVariant EventsModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const RunEvent &event = m_log->events()[static_cast<std::size_t>(index.row())];
    if (role == Qt::TextAlignmentRole && index.column() == EventTime)
        return numberAlignment;
    if (role == toneRole && index.column() == EventText) {
        const Tone tone = event.severity == RunEvent::Severity::Failure   ? Tone::Failure
                          : event.severity == RunEvent::Severity::Warning ? Tone::Warning
                                                                          : Tone::Plain;
        return static_cast<int>(tone);
    }
    if (role == toneRole)
        return static_cast<int>(Tone::Dim);
    if (role == badgeRole && index.column() == EventProcess)
        return badgeOf(m_processes, event.process);
    if (role == Qt::ToolTipRole && index.column() == EventText)
        return eventText(*m_log, event);
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
    case EventTime:
        return secondsText(event.timeNs);
    case EventProcess:
        return processName(m_processes, event.process);
    default:
        return eventText(*m_log, event);
    }
}

QVariant EventsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return section == EventTime ? numberAlignment
                                    : static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter);
    if (role == Qt::ToolTipRole)
        return headTip(section);
    return role == Qt::DisplayRole ? QVariant(headTitle(section)) : QVariant();
}

void ResultsModel::setRun(std::shared_ptr<const RunLog> log, Results results)
{
    beginResetModel();
    m_results = results;
    m_log = std::move(log);
    m_rows = 0;
    m_processes.clear();
    m_showsTasks = false;
    endResetModel();
    refresh();
}

void ResultsModel::refresh()
{
    if (!m_log)
        return;
    const auto tasks = static_cast<int>(m_log->tasks.size());
    const QList<ProcessRecord> before = std::exchange(m_processes, m_log->processes());
    if (tasks > 0 && !m_showsTasks) {
        beginResetModel();
        m_showsTasks = true;
        m_rows = tasks;
        endResetModel();
        return;
    }
    const int rows = m_showsTasks ? tasks : std::max(0, static_cast<int>(m_processes.size()) - 1);
    if (!m_showsTasks && m_rows > 0 && hasChanged(before))
        Q_EMIT dataChanged(index(0, 0), index(m_rows - 1, ResultColumnCount - 1));
    if (rows <= m_rows)
        return;
    beginInsertRows({}, m_rows, rows - 1);
    m_rows = rows;
    endInsertRows();
}

bool ResultsModel::hasChanged(const QList<ProcessRecord> &before) const
{
    for (int i = 1; i < std::min(before.size(), m_processes.size()); ++i) {
        if (before[i].done != m_processes[i].done || before[i].endNs != m_processes[i].endNs)
            return true;
    }
    return false;
}

int ResultsModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : m_rows;
}

int ResultsModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ResultColumnCount;
}

QVariant ResultsModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const int column = index.column();
    if (role == Qt::TextAlignmentRole && isNumber(column))
        return numberAlignment;
    if (role == toneRole) {
        const Tone tone = column == ResultError                             ? Tone::Failure
                          : column == ResultValue || column == ResultWorker ? Tone::Plain
                                                                            : Tone::Dim;
        return static_cast<int>(tone);
    }
    if (role == badgeRole && column == ResultWorker)
        return badgeOf(m_processes, processOf(index.row()));
    const bool whole = role == Qt::ToolTipRole && (column == ResultValue || column == ResultError);
    if (role != Qt::DisplayRole && !whole)
        return {};
    return m_showsTasks ? taskText(m_log->tasks[static_cast<std::size_t>(index.row())], column)
                        : processText(m_processes[index.row() + 1], index.row(), column);
}

/// The position of the process that a row is about; -1: none.
int ResultsModel::processOf(int row) const
{
    return m_showsTasks ? m_log->tasks[static_cast<std::size_t>(row)].process : row + 1;
}

QString ResultsModel::taskText(const TaskRecord &task, int column) const
{
    switch (column) {
    case ResultIndex:
        return QString::number(task.index);
    case ResultWorker:
        return processName(m_processes, task.process);
    case ResultPid:
        return pidText(m_processes, task.process);
    case ResultValue:
        return valueText(*m_log, task);
    case ResultError:
        return errorTextOf(*m_log, task);
    case ResultSubmitted:
        return secondsText(task.submittedNs);
    case ResultStarted:
        return task.startedNs < 0 ? QString() : secondsText(task.startedNs);
    case ResultFinished:
        return secondsText(task.finishedNs);
    default:
        return {};
    }
}

QString ResultsModel::processText(const ProcessRecord &process, int row, int column)
{
    switch (column) {
    case ResultIndex:
        return QString::number(row);
    case ResultWorker:
        return process.name;
    case ResultPid:
        return QString::number(process.pid);
    case ResultValue:
        return groupedNumber(static_cast<qint64>(process.done));
    case ResultError:
        return hasCrashed(process) ? endText(process) : QString();
    case ResultStarted:
        return secondsText(process.startNs);
    case ResultFinished:
        return process.endNs < 0 ? QString() : secondsText(process.endNs);
    default:
        return {};
    }
}

QVariant ResultsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return isNumber(section) ? numberAlignment
                                 : static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter);
    if (role == Qt::ToolTipRole)
        return headTip(section);
    return role == Qt::DisplayRole ? QVariant(headTitle(section)) : QVariant();
}

DataTable::DataTable(QAbstractItemModel *model, QWidget *parent) : QTableView(parent)
{
    setModel(model);
    setItemDelegate(new CellDelegate(this));
    setFrameShape(QFrame::NoFrame);
    setShowGrid(false);
    setWordWrap(false);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setVerticalScrollMode(QAbstractItemView::ScrollPerItem);
    setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    setTabKeyNavigation(false);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setMinimumSectionSize(tableRowHeight);
    verticalHeader()->setDefaultSectionSize(tableRowHeight);
    QHeaderView *header = horizontalHeader();
    header->setHighlightSections(false);
    header->setFont(textFont(TextSize::Caption));
    header->setFixedHeight(tableRowHeight);
    header->setDefaultSectionSize(112);
    static_assert(int{EventProcess} == int{ResultWorker});
    header->resizeSection(ResultWorker, processColumnWidth);
    header->setStretchLastSection(true);
}

void DataTable::keyPressEvent(QKeyEvent *event)
{
    if (event->matches(QKeySequence::Copy))
        copySelection();
    else
        QTableView::keyPressEvent(event);
}

void DataTable::copySelection() const
{
    QModelIndexList rows = selectionModel()->selectedRows();
    if (rows.isEmpty())
        return;
    std::sort(rows.begin(), rows.end(),
              [](const QModelIndex &a, const QModelIndex &b) { return a.row() < b.row(); });
    QStringList lines;
    const int columns = model()->columnCount();
    const auto line = [columns](const auto &cell) {
        QStringList cells;
        for (int column = 0; column < columns; ++column) {
            QString text = withPlainNumbers(cell(column));
            text.replace(u'\t', u' ').replace(u'\n', u' ');
            cells.append(text);
        }
        return cells.join(u'\t');
    };
    lines.append(line([this](int column) {
        return model()->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
    }));
    for (const QModelIndex &row : std::as_const(rows))
        lines.append(
            line([&row](int column) { return row.siblingAtColumn(column).data().toString(); }));
    QGuiApplication::clipboard()->setText(lines.join(u'\n') % u'\n');
}

} // namespace proclab
