// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/experiment/spec/spec.h"
#include "ui/shell/pages.h"

#include <QList>
#include <QMainWindow>
#include <QPointer>

#include <map>

class QMessageBox;
class QStackedWidget;

namespace proclab {

class Banner;
class Engine;
class ExperimentPage;
class NavRail;
class OtherRunsBar;
class Page;
class StatusLine;
class TopBar;
struct Kind;
struct Preset;

/// The window: rail, top bar, one page at a time, status line. Pages are made when they are first
/// shown; an experiment goes on while another page is shown.
///
/// Closing during a run asks first, then ends the run with its children, then closes.
class MainWindow final : public QMainWindow
{
    Q_OBJECT

public:
    enum class CloseMode {
        Ask,         ///< A run in progress is ended once the user agrees.
        EndSilently, ///< Nobody is there to ask.
    };

    /// @p engine must outlive the window.
    explicit MainWindow(Engine &engine, CloseMode closeMode = CloseMode::Ask,
                        QWidget *parent = nullptr);
    ~MainWindow() override;

    /// False: there is no such page.
    bool showPage(const QString &name);
    [[nodiscard]] QString currentPageName() const { return m_currentPage; }
    /// Null while a page without an experiment is shown.
    [[nodiscard]] ExperimentPage *currentExperiment() const;
    /// Shows an experiment of @p kind on its page, or on the one that it is a guest on; false if
    /// that is not there yet. @p kind outlives the window.
    bool showKind(const Kind &kind);
    /// Shows the page of the preset's kind with it; false if that page is not there yet.
    bool openPreset(const Preset &preset);
    /// Shows @p spec, without starting it; false if its kind has no page yet.
    bool openSpec(const ExperimentSpec &spec);
    /// Reads an experiment file and shows it; what is wrong with it stands in the message bar.
    void openFile(const QString &fileName);

    void runCurrent();
    [[nodiscard]] bool isAnyRunActive() const;
    /// Ends every run with its children; allRunsEnded() follows, at once if there is none.
    void endRuns();
    /// Asks nothing: ends the runs, then closes.
    void endRunsAndClose();

    [[nodiscard]] NavRail *rail() const { return m_rail; }
    [[nodiscard]] TopBar *topBar() const { return m_topBar; }
    [[nodiscard]] StatusLine *statusLine() const { return m_statusLine; }
    [[nodiscard]] const Banner *banner() const { return m_banner; }
    [[nodiscard]] const OtherRunsBar *otherRunsBar() const { return m_otherRuns; }

Q_SIGNALS:
    void allRunsEnded();

protected:
    bool focusNextPrevChild(bool next) override;
    void closeEvent(QCloseEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void showEvent(QShowEvent *event) override;
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dropEvent(QDropEvent *event) override;

private:
    void createLayout();
    void createActions();
    void connectBars();
    void restoreLayout();
    void addAction(const QKeySequence &keys, void (MainWindow::*handler)());
    void addPage(const QString &name, const QString &host, Page *page);
    [[nodiscard]] Page *currentPage() const;
    [[nodiscard]] const PageInfo *infoOf(const QString &page) const;
    [[nodiscard]] bool isRunActive(const QString &host) const;
    /// The pages behind the one shown whose runs go on, with their titles.
    [[nodiscard]] std::map<QString, Page *> otherRuns() const;
    void updateOtherRuns();
    void stopOtherRuns();
    /// In the order of the Tab key the rail comes after the page: it has shortcuts of its own.
    void updateBars();
    void updateRail();
    void toggleRail();
    void toggleConfig();
    void toggleDock();
    void toggleTheme();
    /// Scales everything in the window, and keeps it for the next start.
    void setScale(int percent);
    void makeLarger();
    void makeSmaller();
    void resetScale();
    /// As small as the screen asks for, which a scale makes smaller.
    void fitScreen();
    void chooseFile();
    void stopCurrent();
    void showShortcuts();
    void askToClose();
    void takeRunEnd();

    Engine &m_engine;
    const CloseMode m_closeMode;
    const QList<PageInfo> m_infos;
    QString m_currentPage;
    bool m_railWanted = true; ///< Full width, where the window is wide enough.
    bool m_closing = false;
    QPointer<QMessageBox> m_question;

    NavRail *m_rail = nullptr;
    TopBar *m_topBar = nullptr;
    Banner *m_banner = nullptr;
    OtherRunsBar *m_otherRuns = nullptr;
    QStackedWidget *m_stack = nullptr;
    StatusLine *m_statusLine = nullptr;
    struct Content
    {
        Page *page = nullptr;
        QString host; // The page of the rail that shows it.
    };
    std::map<QString, Content> m_pages; // By page of the rail, or kind of a guest.
    std::map<QString, QString> m_shown; // By page of the rail: which of them it shows.
};

} // namespace proclab
