// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/timeline/moving_picture.h"

#include <algorithm>
#include <cmath>

namespace proclab {

int MovingPicture::moveTo(const TimeRange &range, QSize size, double devicePixelRatio)
{
    const QSize pixels(static_cast<int>(std::ceil(size.width() * devicePixelRatio)),
                       static_cast<int>(std::ceil(size.height() * devicePixelRatio)));
    const bool isSameSize =
        m_pixmap.size() == pixels && m_pixmap.devicePixelRatio() == devicePixelRatio;
    if (!isSameSize) {
        m_pixmap = QPixmap(pixels);
        m_pixmap.setDevicePixelRatio(devicePixelRatio);
        m_range.reset();
    }
    const std::optional<TimeRange> before = std::exchange(m_range, range);
    if (!before || before->length() != range.length())
        return 0;
    // To the left, by whole pixels: what lies between two cannot be moved.
    const double moved = range.pixel(before->fromNs, size.width() * devicePixelRatio);
    const double whole = std::round(moved);
    if (whole > 0 || whole <= -pixels.width() || std::abs(moved - whole) > 0.01)
        return 0;
    if (whole == 0)
        return size.width();
    m_pixmap.scroll(static_cast<int>(whole), 0, QRect(QPoint(0, 0), pixels));
    return std::max(0,
                    static_cast<int>(std::floor((pixels.width() + whole) / devicePixelRatio)) - 1);
}

} // namespace proclab
