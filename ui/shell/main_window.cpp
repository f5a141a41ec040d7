// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/main_window.h"

#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/presets.h"
#include "ui/experiment/run/experiment_page.h"
#include "ui/shared/banner.h"
#include "ui/shared/icon.h"
#include "ui/shared/theme.h"
#include "ui/shell/nav_rail.h"
#include "ui/shell/other_runs_bar.h"
#include "ui/shell/shortcut_list.h"
#include "ui/shell/status_line.h"
#include "ui/shell/tab_order.h"
#include "ui/shell/top_bar.h"
#include "ui/shell/window_scale.h"
#include "ui/shell/window_size.h"

#include <QAbstractButton>
#include <QApplication>
#include <QCloseEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QScreen>
#include <QSettings>
#include <QShortcut>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <QWindow>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

constexpr int railCollapsesBelow = 1100;
constexpr qsizetype mostFaultLines = 8; ///< In the message bar.

/// The experiment file of a drag or drop; empty if it is anything else.
QString experimentFile(const QMimeData *data)
{
    const QList<QUrl> urls = data->urls();
    if (urls.size() != 1 || !urls.first().isLocalFile())
        return {};
    const QString file = urls.first().toLocalFile();
    return file.endsWith(u".json"_s) ? file : QString();
}

/// Those of the kinds that @p page shows.
QList<Preset> presetsOf(const QString &page)
{
    QList<Preset> found;
    for (const Preset &preset : presets()) {
        if (pageOfKind(preset.spec.kind()) == page)
            found << preset;
    }
    return found;
}

} // namespace

MainWindow::MainWindow(Engine &engine, CloseMode closeMode, QWidget *parent)
    : QMainWindow(parent)
    , m_engine(engine)
    , m_closeMode(closeMode)
    , m_infos(pages())
{
    setWindowTitle(tr("ProcLab"));
    setWindowIcon(icon(u"logo"_s));
    setAcceptDrops(true);
    createLayout();
    createActions();
    connectBars();
    restoreLayout();
}

MainWindow::~MainWindow()
{
    QSettings settings;
    settings.setValue(u"window/geometry"_s, saveGeometry());
    settings.setValue(u"window/rail"_s, m_railWanted);
}

void MainWindow::createLayout()
{
    auto *centre = new QWidget(this);
    auto *columns = new QHBoxLayout(centre);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(0);
    m_topBar = new TopBar(centre);
    m_banner = new Banner(centre);
    m_otherRuns = new OtherRunsBar(centre);
    m_stack = new QStackedWidget(centre);
    m_stack->addWidget(new Page(m_stack)); // There until the first is shown.
    m_statusLine = new StatusLine(centre);
    m_rail = new NavRail(m_infos, centre);
    auto *rows = new QVBoxLayout;
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    rows->addWidget(m_topBar);
    rows->addWidget(m_banner);
    rows->addWidget(m_otherRuns);
    rows->addWidget(m_stack, 1);
    rows->addWidget(m_statusLine);
    columns->addWidget(m_rail);
    columns->addLayout(rows, 1);
    setCentralWidget(centre);
}

void MainWindow::addAction(const QKeySequence &keys, void (MainWindow::*handler)())
{
    auto *shortcut = new QShortcut(keys, this);
    connect(shortcut, &QShortcut::activated, this, handler);
}

void MainWindow::createActions()
{
    addAction(Qt::Key_F5, &MainWindow::runCurrent);
    addAction(Qt::CTRL | Qt::Key_R, &MainWindow::runCurrent);
    addAction(Qt::SHIFT | Qt::Key_F5, &MainWindow::stopCurrent);
    addAction(Qt::CTRL | Qt::Key_B, &MainWindow::toggleRail);
    addAction(Qt::CTRL | Qt::SHIFT | Qt::Key_B, &MainWindow::toggleConfig);
    addAction(Qt::CTRL | Qt::Key_J, &MainWindow::toggleDock);
    addAction(Qt::CTRL | Qt::SHIFT | Qt::Key_L, &MainWindow::toggleTheme);
    addAction(Qt::CTRL | Qt::Key_O, &MainWindow::chooseFile);
    for (const QKeySequence &keys : QKeySequence::keyBindings(QKeySequence::ZoomIn))
        addAction(keys, &MainWindow::makeLarger);
    addAction(Qt::CTRL | Qt::Key_Equal, &MainWindow::makeLarger); // The key of + without Shift.
    for (const QKeySequence &keys : QKeySequence::keyBindings(QKeySequence::ZoomOut))
        addAction(keys, &MainWindow::makeSmaller);
    addAction(Qt::CTRL | Qt::Key_0, &MainWindow::resetScale);
    addAction(Qt::Key_F1, &MainWindow::showShortcuts);
    addAction(Qt::CTRL | Qt::Key_Slash, &MainWindow::showShortcuts);
    auto *quit = new QShortcut(Qt::CTRL | Qt::Key_Q, this);
    connect(quit, &QShortcut::activated, this, &QWidget::close);
    for (int digit = 1; digit <= 9 && digit <= m_infos.size(); ++digit) {
        auto *shortcut =
            new QShortcut(QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_0 + digit)), this);
        const QString name = m_infos[digit - 1].name;
        connect(shortcut, &QShortcut::activated, this, [this, name] { showPage(name); });
    }
    for (int digit = 1; digit <= 5; ++digit) {
        auto *shortcut =
            new QShortcut(QKeySequence(Qt::ALT | static_cast<Qt::Key>(Qt::Key_0 + digit)), this);
        connect(shortcut, &QShortcut::activated, this,
                [this, digit] { currentPage()->showDockTab(digit - 1); });
    }
}

void MainWindow::connectBars()
{
    connect(m_rail, &NavRail::pageRequested, this, &MainWindow::showPage);
    connect(m_rail, &NavRail::collapseRequested, this, &MainWindow::toggleRail);
    connect(m_topBar, &TopBar::themeRequested, this, &MainWindow::toggleTheme);
    connect(m_topBar, &TopBar::runRequested, this, &MainWindow::runCurrent);
    connect(m_topBar, &TopBar::stopRequested, this, &MainWindow::stopCurrent);
    connect(m_otherRuns, &OtherRunsBar::stopRequested, this, &MainWindow::stopOtherRuns);
    connect(m_topBar, &TopBar::presetChosen, this, [this](const QString &name) {
        if (const auto preset = findPreset(name))
            openPreset(*preset);
    });
}

void MainWindow::restoreLayout()
{
    const QSettings settings;
    m_railWanted = settings.value(u"window/rail"_s, true).toBool();
    setScale(settings.value(u"window/scale"_s, windowScale::smallest).toInt());
    fitScreen();
    if (!restoreGeometry(settings.value(u"window/geometry"_s).toByteArray()))
        resize(firstWindowSize(screen()->availableSize()));
    updateRail();
}

const PageInfo *MainWindow::infoOf(const QString &page) const
{
    const auto info = std::find_if(m_infos.cbegin(), m_infos.cend(),
                                   [&page](const PageInfo &row) { return row.name == page; });
    return info == m_infos.cend() ? nullptr : &*info;
}

bool MainWindow::showPage(const QString &name)
{
    const PageInfo *info = infoOf(name);
    if (info == nullptr)
        return false;
    const QString &shown = m_shown.try_emplace(name, name).first->second;
    if (m_pages.count(shown) == 0)
        addPage(shown, name, makePage(*info, m_engine, m_stack));
    m_currentPage = name;
    Page *page = m_pages.at(shown).page;
    m_stack->setCurrentWidget(page);
    m_rail->setCurrentPage(name);
    m_topBar->setPage(*info, page->runStatus() ? presetsOf(name) : QList<Preset>());
    if (page->runStatus())
        m_topBar->setCurrentPreset(page->presetName(), page->fileTitle());
    updateBars();
    if (focusWidget() == nullptr || m_topBar->hasFocusOnTheme())
        m_topBar->runButton()->setFocus(); // Where Qt chose, Space would switch the theme.
    return true;
}

bool MainWindow::showKind(const Kind &kind)
{
    const QString host = pageOf(kind);
    if (kind.isAvailable() && infoOf(host)) {
        if (m_pages.count(kind.name) == 0)
            addPage(kind.name, host, new ExperimentPage(kind, m_engine, m_stack));
        m_shown[host] = kind.name;
    }
    return showPage(host) && kind.isAvailable();
}

void MainWindow::addPage(const QString &name, const QString &host, Page *page)
{
    m_pages[name] = {page, host};
    m_stack->addWidget(page);
    connect(page, &Page::statusChanged, this, [this, page, host] {
        m_rail->setRunning(host, isRunActive(host));
        if (page == currentPage())
            updateBars();
        else
            updateOtherRuns();
    });
    connect(page, &Page::runEnded, this, &MainWindow::takeRunEnd);
}

/// Forms and charts are made anew and move about: what comes next is looked up when it is wanted.
bool MainWindow::focusNextPrevChild(bool next)
{
    // The rail has its own shortcuts and comes last.
    orderTabs({m_topBar, m_banner, m_otherRuns, m_stack, m_rail});
    return QMainWindow::focusNextPrevChild(next);
}

Page *MainWindow::currentPage() const
{
    return static_cast<Page *>(m_stack->currentWidget());
}

ExperimentPage *MainWindow::currentExperiment() const
{
    return qobject_cast<ExperimentPage *>(m_stack->currentWidget());
}

void MainWindow::updateBars()
{
    const Page *page = currentPage();
    const RunStatus *status = page->runStatus();
    m_topBar->setStatus(status ? *status : RunStatus(), page->blockedBy());
    m_topBar->setChanged(page->isChanged());
    if (status)
        m_statusLine->setStatus(*status);
    else
        m_statusLine->clearStatus();
    updateOtherRuns();
}

bool MainWindow::openPreset(const Preset &preset)
{
    const Kind *kind = preset.spec.kindInfo();
    if (kind == nullptr || !showKind(*kind))
        return false;
    currentPage()->openPreset(preset);
    m_topBar->setCurrentPreset(preset.name);
    return true;
}

bool MainWindow::openSpec(const ExperimentSpec &spec)
{
    const Kind *kind = spec.kindInfo();
    if (kind == nullptr || !showKind(*kind))
        return false;
    currentPage()->openSpec(spec);
    m_topBar->setCurrentPreset({}, currentPage()->fileTitle());
    return true;
}

void MainWindow::openFile(const QString &fileName)
{
    const QString name = QFileInfo(fileName).fileName();
    QList<Error> faults;
    const auto spec = ExperimentSpec::load(fileName, &faults);
    if (!spec) {
        QStringList lines;
        for (const Error &fault : faults.first(std::min(faults.size(), mostFaultLines)))
            lines << errorText(fault);
        if (const qsizetype rest = faults.size() - lines.size(); rest > 0)
            lines << tr("and %1 more").arg(rest);
        const bool isUnread = spec.error().code == ErrorCode::OsError;
        m_banner->showMessage(Banner::Tone::Error,
                              isUnread ? tr("%1 was not opened").arg(name)
                                       : tr("%1 is not an experiment").arg(name),
                              lines.join(u'\n'));
        return;
    }
    if (openSpec(*spec))
        m_banner->hide();
    else
        m_banner->showMessage(Banner::Tone::Warning,
                              tr("Experiments of the kind %1 have no page yet").arg(spec->kind()));
}

void MainWindow::chooseFile()
{
    auto *dialog = new QFileDialog(this, tr("Open an experiment"), {},
                                   tr("Experiments (*.proclab.json);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::openFile);
    dialog->open();
}

void MainWindow::runCurrent()
{
    currentPage()->run();
}

void MainWindow::stopCurrent()
{
    currentPage()->stop();
}

bool MainWindow::isRunActive(const QString &host) const
{
    return std::any_of(m_pages.cbegin(), m_pages.cend(), [&host](const auto &row) {
        const RunStatus *status = row.second.page->runStatus();
        return row.second.host == host && status != nullptr && status->isActive();
    });
}

std::map<QString, Page *> MainWindow::otherRuns() const
{
    std::map<QString, Page *> others;
    for (const auto &[name, content] : m_pages) {
        const RunStatus *status = content.page->runStatus();
        if (content.page == currentPage() || status == nullptr || !status->isActive())
            continue;
        const Kind *kind = findKind(name);
        others[kind != nullptr ? kind->title : name] = content.page;
    }
    return others;
}

void MainWindow::updateOtherRuns()
{
    const RunStatus *status = currentPage()->runStatus();
    QStringList titles;
    if (status != nullptr && status->isActive()) {
        for (const auto &[title, page] : otherRuns())
            titles << title;
    }
    m_otherRuns->setRuns(titles);
}

void MainWindow::stopOtherRuns()
{
    for (const auto &[title, page] : otherRuns())
        page->stop();
}

bool MainWindow::isAnyRunActive() const
{
    return std::any_of(m_infos.cbegin(), m_infos.cend(),
                       [this](const PageInfo &info) { return isRunActive(info.name); });
}

void MainWindow::endRuns()
{
    for (const auto &[name, content] : m_pages)
        content.page->stop();
    if (!isAnyRunActive())
        Q_EMIT allRunsEnded();
}

void MainWindow::endRunsAndClose()
{
    m_closing = true;
    if (m_question != nullptr)
        m_question->close();
    if (isAnyRunActive())
        endRuns();
    else
        close();
}

void MainWindow::takeRunEnd()
{
    if (isAnyRunActive())
        return;
    Q_EMIT allRunsEnded();
    // Not from within the run's own last signal, which the page that closes would take away.
    if (m_closing)
        QMetaObject::invokeMethod(
            this, [this] { close(); }, Qt::QueuedConnection);
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    if (!isAnyRunActive()) {
        event->accept();
        return;
    }
    event->ignore();
    if (m_closing)
        return;
    if (m_closeMode == CloseMode::Ask)
        askToClose();
    else
        endRunsAndClose();
}

void MainWindow::askToClose()
{
    if (m_question != nullptr)
        return;
    m_question =
        new QMessageBox(QMessageBox::Question, tr("ProcLab"),
                        tr("A run is going on. End it and close?"), QMessageBox::NoButton, this);
    m_question->setInformativeText(tr("Its processes are ended with it."));
    m_question->setAttribute(Qt::WA_DeleteOnClose);
    const QPushButton *end = m_question->addButton(tr("End and close"), QMessageBox::AcceptRole);
    m_question->addButton(tr("Keep running"), QMessageBox::RejectRole);
    connect(end, &QPushButton::clicked, this, &MainWindow::endRunsAndClose);
    m_question->open();
}

void MainWindow::resizeEvent(QResizeEvent *event)
{
    QMainWindow::resizeEvent(event);
    updateRail();
}

void MainWindow::showEvent(QShowEvent *event)
{
    QMainWindow::showEvent(event);
    connect(windowHandle(), &QWindow::screenChanged, this, &MainWindow::fitScreen,
            Qt::UniqueConnection);
}

void MainWindow::updateRail()
{
    const bool compact = !m_railWanted || width() < railCollapsesBelow;
    if (compact != m_rail->isCompact())
        m_rail->setCompact(compact);
}

void MainWindow::toggleRail()
{
    m_railWanted = m_rail->isCompact();
    m_rail->setCompact(!m_railWanted);
}

void MainWindow::toggleConfig()
{
    currentPage()->toggleConfig();
}

void MainWindow::toggleDock()
{
    currentPage()->toggleDock();
}

void MainWindow::toggleTheme()
{
    const auto mode = Theme::current().dark ? Theme::Mode::Light : Theme::Mode::Dark;
    Theme::apply(*qApp, mode);
    QSettings().setValue(u"window/theme"_s, mode == Theme::Mode::Dark ? u"dark"_s : u"light"_s);
}

void MainWindow::setScale(int percent)
{
    setMinimumSize(1, 1); // The one of the scale before would make the window grow.
    windowScale::setPercent(*this, percent);
    fitScreen();
    QSettings().setValue(u"window/scale"_s, windowScale::percent());
    m_statusLine->setScale(windowScale::percent());
}

void MainWindow::makeLarger()
{
    setScale(windowScale::larger(windowScale::percent()));
}

void MainWindow::makeSmaller()
{
    setScale(windowScale::smaller(windowScale::percent()));
}

void MainWindow::resetScale()
{
    setScale(windowScale::smallest);
}

void MainWindow::fitScreen()
{
    const QRect available = screen()->availableGeometry();
    setMinimumSize(smallestWindowSize(available.size()));
    if (isVisible() && !isMaximized() && !isFullScreen())
        move(std::max(available.left(), std::min(x(), available.right() - frameSize().width())),
             std::max(available.top(), std::min(y(), available.bottom() - frameSize().height())));
}

void MainWindow::showShortcuts()
{
    auto *list = new ShortcutList(this);
    list->setAttribute(Qt::WA_DeleteOnClose);
    list->open();
}

void MainWindow::dragEnterEvent(QDragEnterEvent *event)
{
    if (!experimentFile(event->mimeData()).isEmpty())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent *event)
{
    const QString file = experimentFile(event->mimeData());
    if (file.isEmpty())
        return;
    event->acceptProposedAction();
    openFile(file);
}

} // namespace proclab
