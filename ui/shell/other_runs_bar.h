// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>
#include <QWidget>

namespace proclab {

class Banner;

/// Says, while the run of the page shown goes on, which others do: they share the cores, so that
/// none of the figures is what its run would give alone.
class OtherRunsBar final : public QWidget
{
    Q_OBJECT

public:
    explicit OtherRunsBar(QWidget *parent = nullptr);

    /// Empty: nothing to say. Once closed the bar stays so until there are other ones.
    void setRuns(const QStringList &titles);
    [[nodiscard]] const Banner *banner() const { return m_banner; }

Q_SIGNALS:
    void stopRequested();

private:
    Banner *m_banner;
    QStringList m_titles;
};

} // namespace proclab
