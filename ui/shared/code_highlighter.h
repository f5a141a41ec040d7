// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRegularExpression>
#include <QSyntaxHighlighter>

namespace proclab {

/// Colours comments, texts, keywords and numbers of source code, in the colours of the theme.
class CodeHighlighter final : public QSyntaxHighlighter
{
    Q_OBJECT

public:
    enum class Language { Cpp, Python };

    CodeHighlighter(Language language, QTextDocument *document);

protected:
    void highlightBlock(const QString &text) override;

private:
    const QRegularExpression m_tokens; ///< A named group a kind of token.
};

} // namespace proclab
