// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shared/code_highlighter.h"

#include "ui/shared/theme.h"

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

const QString pythonKeywords =
    u"and|as|assert|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|"
    "import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|False|try|while|with|yield"_s;
const QString cppKeywords =
    u"auto|bool|break|case|catch|char|class|const|constexpr|continue|default|do|double|else|enum|"
    "explicit|false|final|float|for|if|inline|int|long|namespace|new|noexcept|nullptr|operator|"
    "override|private|protected|public|return|short|signed|sizeof|static|struct|switch|template|"
    "this|throw|true|try|typename|union|unsigned|using|virtual|void|volatile|while|qint64|quint64|"
    "quint32|qsizetype"_s;

QString tokensOf(CodeHighlighter::Language language)
{
    const bool isPython = language == CodeHighlighter::Language::Python;
    // A text first, so that what looks like a comment in it is none.
    const QString texts = isPython
                              ? u"\"\"\".*?\"\"\"|\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'"_s
                              : u"\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'"_s;
    const QString comment = isPython ? u"#.*$"_s : u"//.*$|^\\s*#\\s*\\w+"_s;
    return u"(?<text>%1)|(?<comment>%2)|(?<keyword>\\b(?:%3)\\b)|(?<number>\\b\\d[\\d'_.]*\\w*)"_s
        .arg(texts, comment, isPython ? pythonKeywords : cppKeywords);
}

} // namespace

CodeHighlighter::CodeHighlighter(Language language, QTextDocument *document)
    : QSyntaxHighlighter(document)
    , m_tokens(tokensOf(language))
{}

void CodeHighlighter::highlightBlock(const QString &text)
{
    const Theme &theme = Theme::current();
    const std::pair<QString, QColor> colors[] = {{u"text"_s, theme.ok},
                                                 {u"comment"_s, theme.text3},
                                                 {u"keyword"_s, theme.accent},
                                                 {u"number"_s, theme.warn}};
    for (auto tokens = m_tokens.globalMatch(text); tokens.hasNext();) {
        const QRegularExpressionMatch token = tokens.next();
        for (const auto &[name, color] : colors) {
            if (const qsizetype at = token.capturedStart(name); at >= 0)
                setFormat(static_cast<int>(at), static_cast<int>(token.capturedLength(name)),
                          color);
        }
    }
}

} // namespace proclab
