// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QWidget;

namespace proclab {

/// How large everything in the program's windows is, in percent of what the system asks for: for
/// the back row of a class, or for a large screen. It is Qt's own scale of a screen, so texts,
/// icons, lines, charts, menus and tips follow, and each stays sharp. GUI thread only.
namespace windowScale {

inline constexpr int smallest = 100;
inline constexpr int largest = 300;

/// The step of 100, 125, 150, 175, 200, 250 and 300 % after @p percent, or before it.
[[nodiscard]] int larger(int percent);
[[nodiscard]] int smaller(int percent);

/// What holds now.
[[nodiscard]] int percent();

/// Takes @p percent (bounded to 100 to 300) for all screens. @p window keeps its size on the
/// screen: it has room for less, and is laid out anew. Asks for Qt's private API, as Qt scales by
/// itself at a program's start only.
void setPercent(QWidget &window, int percent);

} // namespace windowScale
} // namespace proclab
