// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/settings_place.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSettings>

#include <array>

#include <pwd.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

/// Whether it is a folder that can be written, or can be made in one that can; "/" does not count.
bool isUsableFolder(const QString &path)
{
    QFileInfo info(QDir::cleanPath(path));
    while (!info.exists() && !info.isRoot())
        info.setFile(info.path());
    return info.isDir() && !info.isRoot() && info.isWritable();
}

bool isHome(const QString &path)
{
    return QDir::isAbsolutePath(path) && QFileInfo(path).isDir() && !QFileInfo(path).isRoot();
}

} // namespace

std::optional<QString> settingsFolder(const QString &configHome, const QString &home,
                                      const QString &accountHome)
{
    if (QDir::isAbsolutePath(configHome) && isUsableFolder(configHome))
        return configHome;
    for (const QString &folder : {home, accountHome}) {
        const QString settings = folder % u"/.config"_s;
        if (isHome(folder) && isUsableFolder(settings))
            return settings;
    }
    return {};
}

QString accountHome()
{
    passwd account = {};
    passwd *found = nullptr;
    std::array<char, 16 * 1024> buffer;
    const int failed = ::getpwuid_r(::getuid(), &account, buffer.data(), buffer.size(), &found);
    return failed != 0 || found == nullptr ? QString() : QFile::decodeName(found->pw_dir);
}

QString useSettingsFolder(const QString &substitute)
{
    const QString home = qEnvironmentVariable("HOME");
    const auto folder =
        settingsFolder(qEnvironmentVariable("XDG_CONFIG_HOME"), home, accountHome());
    for (const auto format : {QSettings::NativeFormat, QSettings::IniFormat})
        QSettings::setPath(format, QSettings::UserScope, folder.value_or(substitute));
    if (folder)
        return {};
    const QString found = home.isEmpty() ? QCoreApplication::translate("SettingsPlace", "not set")
                                         : QString(u'"' % home % u'"');
    return QCoreApplication::translate("SettingsPlace",
                                       "HOME: %1, the settings of the window are not kept; "
                                       "allowed: a folder that can be written")
        .arg(found);
}

} // namespace proclab
