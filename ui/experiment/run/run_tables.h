// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiment/run/run_log.h"

#include <QAbstractTableModel>
#include <QTableView>

#include <memory>

namespace proclab {

/// The role by which a cell that names a process has its ProcessRecord, to draw its badge.
constexpr int badgeRole = Qt::UserRole + 1;

enum EventColumn { EventTime, EventProcess, EventText, EventColumnCount };
enum ResultColumn {
    ResultIndex,
    ResultWorker,
    ResultPid,
    ResultValue,
    ResultError,
    ResultSubmitted,
    ResultStarted,
    ResultFinished,
    ResultColumnCount
};

/// The events of a run: time, process, what happened. Grows by refresh(); rows never change.
class EventsModel final : public QAbstractTableModel
{
    Q_OBJECT

public:
    using QAbstractTableModel::QAbstractTableModel;
    void setRun(std::shared_ptr<const RunLog> log);
    /// Takes in what the log got since the last call; cheap enough for each frame.
    void refresh();

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] static QString headTitle(int section);
    [[nodiscard]] static QString headTip(int section);

    std::shared_ptr<const RunLog> m_log;
    QList<ProcessRecord> m_processes;
    int m_rows = 0;
};

/// The results of a run, in order of completion: index, worker, PID, value, error, submitted,
/// started, finished. Kinds without tasks have a row for each process.
class ResultsModel final : public QAbstractTableModel
{
    Q_OBJECT

public:
    /// Whose results the kind of a run has.
    enum class Results { OfTasks, OfProcesses };

    using QAbstractTableModel::QAbstractTableModel;
    void setRun(std::shared_ptr<const RunLog> log, Results results = Results::OfTasks);
    void refresh();

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    /// Until there are results, and where they are the processes' own, rows are processes.
    [[nodiscard]] bool isOfTasks() const { return m_showsTasks && m_results == Results::OfTasks; }
    [[nodiscard]] QString headTitle(int section) const;
    [[nodiscard]] QString headTip(int section) const;
    [[nodiscard]] bool hasChanged(const QList<ProcessRecord> &before) const;
    [[nodiscard]] int processOf(int row) const;
    [[nodiscard]] QString taskText(const TaskRecord &task, int column) const;
    [[nodiscard]] static QString processText(const ProcessRecord &process, int row, int column);

    std::shared_ptr<const RunLog> m_log;
    QList<ProcessRecord> m_processes;
    int m_rows = 0;
    Results m_results = Results::OfTasks;
    bool m_showsTasks = false; // The log's results; else a row for each child.
};

/// A table in the lab's style: small rows, numbers right and fixed-width, Ctrl+C copies as TSV.
class DataTable final : public QTableView
{
    Q_OBJECT

public:
    explicit DataTable(QAbstractItemModel *model, QWidget *parent = nullptr);

protected:
    void keyPressEvent(QKeyEvent *event) override;

private:
    void copySelection() const;
};

} // namespace proclab
