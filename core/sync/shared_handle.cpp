// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sync/shared_handle.h"

#include "core/runtime/memory/object_space.h"

#include <QLocale>

#include <cerrno>

namespace proclab {

constinit thread_local HandleTransfer *HandleTransfer::s_current = nullptr;

Result<runtime::ObjectRef> SharedHandle::make(runtime::ObjectKind kind, std::size_t size)
{
    errno = 0;
    if (auto object = space().create(kind, size))
        return object;
    return osError({}, errno,
                   ErrorText::tr("shared memory of %1")
                       .arg(QLocale::c().formattedDataSize(static_cast<qint64>(size))));
}

runtime::ObjectSpace &SharedHandle::space()
{
    return runtime::ObjectSpace::instance();
}

runtime::ObjectRef receivedObject(runtime::ObjectHandle handle, runtime::ObjectKind kind)
{
    auto object = runtime::ObjectSpace::instance().attach(handle, kind);
    if (!object)
        throw DecodeError("the shared object is gone");
    return object;
}

} // namespace proclab
