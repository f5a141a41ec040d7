// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/program/shell_reading.h"

#include <algorithm>

using namespace Qt::StringLiterals;

namespace proclab {

namespace {

using Meaning = ShellWord::Meaning;

/// Reads a line from its begin to its end, a character at a time.
class Reader
{
public:
    explicit Reader(const QString &line) : m_line(line) {}

    QList<ShellWord> read()
    {
        while (m_at < m_line.size())
            readOne(m_line[m_at++]);
        endWord();
        return m_words;
    }

private:
    void readOne(QChar c);
    void readQuoted(QChar quote);
    void readSubstitution(QChar end);
    void endWord();
    void addOperator(QChar c);
    void mean(Meaning meaning) { m_meaning = std::max(m_meaning, meaning); }
    [[nodiscard]] QChar next() const { return m_at < m_line.size() ? m_line[m_at] : QChar(); }

    const QString m_line;
    qsizetype m_at = 0;
    QString m_word;
    Meaning m_meaning = Meaning::Word;
    bool m_isWord = false; ///< One has begun, which may be empty: ''.
    QList<ShellWord> m_words;
};

void Reader::endWord()
{
    if (m_isWord)
        m_words.append({m_word, m_meaning});
    m_word.clear();
    m_meaning = Meaning::Word;
    m_isWord = false;
}

/// One or two of the same: "&", "&&".
void Reader::addOperator(QChar c)
{
    endWord();
    QString text(c);
    if (next() == c && c != u'\n')
        text += m_line[m_at++];
    const bool isTwo = text.size() == 2;
    const Meaning meaning = c == u'<' || c == u'>' ? Meaning::Redirect
                            : c == u'|' && !isTwo  ? Meaning::Pipe
                            : c == u'&' && !isTwo  ? Meaning::Background
                                                   : Meaning::Next;
    m_words.append({text, meaning});
}

void Reader::readSubstitution(QChar end)
{
    mean(Meaning::Output);
    const qsizetype closing = m_line.indexOf(end, m_at);
    const qsizetype stop = closing < 0 ? m_line.size() : closing + 1;
    m_word += m_line.sliced(m_at, stop - m_at);
    m_at = stop;
}

void Reader::readQuoted(QChar quote)
{
    m_isWord = true;
    while (m_at < m_line.size() && m_line[m_at] != quote) {
        const QChar c = m_line[m_at++];
        if (quote == u'"' && (c == u'$' || c == u'`'))
            readOne(c);
        else
            m_word += c;
    }
    ++m_at;
}

void Reader::readOne(QChar c)
{
    if (c == u' ' || c == u'\t')
        return endWord();
    if (QStringView(u";&|<>\n").contains(c))
        return addOperator(c);
    if (c == u'#' && !m_isWord) {
        m_words.append({c % m_line.sliced(m_at), Meaning::Comment});
        m_at = m_line.size();
        return;
    }
    if (c == u'\'' || c == u'"')
        return readQuoted(c);
    const bool isFirst = !m_isWord;
    m_isWord = true;
    if (c == u'\\') {
        if (m_at < m_line.size())
            m_word += m_line[m_at++];
        return;
    }
    m_word += c;
    if (c == u'`' || (c == u'$' && next() == u'('))
        readSubstitution(c == u'`' ? u'`' : u')');
    else if (c == u'$' && (next().isLetter() || next() == u'_' || next() == u'{'))
        mean(Meaning::Variable);
    else if (c == u'~' && isFirst)
        mean(Meaning::Variable);
    else if (c == u'*' || c == u'?' || c == u'[')
        mean(Meaning::Files);
}

} // namespace

QList<ShellWord> shellReading(const QStringList &command)
{
    return Reader(command.join(u' ')).read();
}

bool readsTheSame(const QStringList &command)
{
    const QList<ShellWord> words = shellReading(command);
    return std::equal(words.begin(), words.end(), command.begin(), command.end(),
                      [](const ShellWord &word, const QString &argument) {
                          return word == ShellWord{argument, Meaning::Word};
                      });
}

} // namespace proclab
