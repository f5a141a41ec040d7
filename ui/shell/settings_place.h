// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <optional>

namespace proclab {

/// The folder for the settings of programs: @p configHome (XDG_CONFIG_HOME), else .config in
/// @p home (HOME) or in @p accountHome. The first that can be written is taken, and never one
/// directly below "/", where QSettings goes without HOME; nullopt: there is none.
[[nodiscard]] std::optional<QString> settingsFolder(const QString &configHome, const QString &home,
                                                    const QString &accountHome);

/// The home directory of the user who runs this, as the account has it; empty: there is none.
[[nodiscard]] QString accountHome();

/// Lets QSettings use settingsFolder() of this process, or else @p substitute, which is lost at the
/// end: then what to tell the user is returned.
[[nodiscard]] QString useSettingsFolder(const QString &substitute);

} // namespace proclab
