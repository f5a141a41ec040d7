// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/cores.h"
#include "core/experiment/spec/kind.h"
#include "core/experiment/spec/schema.h"
#include "core/experiment/spec/spec.h"
#include "core/runtime/workloads/workload.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace proclab;

namespace {

QStringList lines(const QList<Error> &faults)
{
    QStringList texts;
    for (const Error &fault : faults)
        texts.append(errorText(fault));
    return texts;
}

/// All that is wrong with @p json, as a user is told.
QStringList faultsOf(const QByteArray &json)
{
    QList<Error> faults;
    const auto spec = ExperimentSpec::parse(json, u"x.json"_s, &faults);
    return lines(spec ? spec->check() : faults);
}

QByteArray file(const QByteArray &kind, const QByteArray &rest)
{
    return R"({"version":1,"kind":")" + kind + '"' + (rest.isEmpty() ? "" : ",") + rest + '}';
}

QByteArray poolFile(const QByteArray &pool, const QByteArray &rest = {})
{
    return file("pool", R"("pool":{)" + pool + R"(},"tasks":{"task":"noop","count":5})" +
                            (rest.isEmpty() ? "" : ",") + rest);
}

QByteArray taskFile(const QByteArray &tasks)
{
    return file("pool", R"("tasks":{)" + tasks + '}');
}

QByteArray pipelineFile(const QByteArray &pipeline, const QByteArray &rest = {})
{
    return file("pipeline",
                R"("pipeline":{)" + pipeline + '}' + (rest.isEmpty() ? "" : ",") + rest);
}

QByteArray counterFile(const QByteArray &counter)
{
    return file("counter", R"("counter":{)" + counter + '}');
}

void addRow(const char *name, const QByteArray &json, const QString &line)
{
    QTest::newRow(name) << json << line;
}

/// "allowed: pool, …": those that can run.
QString allowedKinds()
{
    QStringList names;
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            names.append(kind.name);
    }
    return u"allowed: "_s % names.join(u", "_s);
}

QString workloads()
{
    QStringList names;
    for (const runtime::WorkloadInfo &workload : runtime::workloads())
        names.append(
            QString::fromUtf8(workload.name.data(), static_cast<qsizetype>(workload.name.size())));
    return names.join(u", "_s);
}

void addHeadRows()
{
    addRow("version missing", R"({"kind":"counter"})", u"version: missing; needed: 1"_s);
    addRow("version 2", R"({"version":2,"kind":"counter"})",
           u"version: 2 is unknown; allowed: 1"_s);
    addRow("version text", R"({"version":"1","kind":"counter"})",
           u"version: \"1\" is unknown; allowed: 1"_s);
    addRow("kind missing", R"({"version":1})",
           u"kind: missing; the kind of the experiment is needed"_s);
    addRow("kind number", R"({"version":1,"kind":7})", u"kind: 7 is a number; allowed: a text"_s);
    addRow("kind unknown", file("pol", {}),
           u"kind: \"pol\" is unknown; "_s % allowedKinds() % u"; did you mean pool?");
    addRow("kind unlike any", file("walk", {}), u"kind: \"walk\" is unknown; "_s % allowedKinds());
    addRow("kind planned", file("gil", R"("gil":{"workers":2})"),
           u"kind: \"gil\" is not available yet; "_s % allowedKinds());
    addRow("list", "[]", u"x.json: a list; allowed: an object with version and kind"_s);
    addRow("number", "5", u"x.json: a single value; allowed: an object with version and kind"_s);
}

void addKeyRows()
{
    const QString allowed = u"version, kind, counter, time_limit_s, seed, title"_s;
    addRow("unknown key", file("counter", R"("color":1)"),
           u"color: unknown; allowed: "_s + allowed);
    addRow("another kind's block", file("counter", R"("pipeline":{})"),
           u"pipeline: unknown; allowed: "_s + allowed);
    addRow(
        "unknown key in block", counterFile(R"("process":2)"),
        u"counter.process: unknown; allowed: processes, increments, mode, gap_ns, type, start_method; did you mean processes?"_s);
    addRow(
        "key of another block", counterFile(R"("seed":2)"),
        u"counter.seed: unknown; allowed: processes, increments, mode, gap_ns, type, start_method; did you mean seed?"_s);
    addRow("key of a block", file("counter", R"("gap_ns":1)"),
           u"gap_ns: unknown; allowed: "_s + allowed + u"; did you mean counter.gap_ns?"_s);
    addRow("block is a number", file("counter", R"("counter":5)"),
           u"counter: 5 is a number; allowed: an object"_s);
    addRow("block is a list", file("counter", R"("counter":[])"),
           u"counter: a list; allowed: an object"_s);
    addRow("block is null", file("counter", R"("counter":null)"),
           u"counter: null; allowed: an object"_s);
    addRow("key twice", counterFile(R"("processes":2,"processes":3)"),
           u"counter.processes: given twice; allowed: once"_s);
    addRow("key twice, escaped", counterFile(R"("mode":"lock","m\u006fde":"lock")"),
           u"counter.mode: given twice; allowed: once"_s);
    addRow("block twice", file("counter", R"("counter":{},"counter":{})"),
           u"counter: given twice; allowed: once"_s);
    addRow("key twice in a list",
           taskFile(R"("task":"cpu.primes","args_list":[{},{"limit":1,"limit":2}])"),
           u"tasks.args_list.1.limit: given twice; allowed: once"_s);
}

void addRunRows()
{
    addRow("title number", file("counter", R"("title":7)"),
           u"title: 7 is a number; allowed: a text"_s);
    addRow("title too long", file("counter", R"("title":")" + QByteArray(1001, 'x') + '"'),
           u"title: a text of 1001 bytes; allowed: 0 to 1000 bytes"_s);
    addRow("seed negative", file("counter", R"("seed":-1)"), u"seed: -1 is below the minimum 0"_s);
    addRow("seed 2^53", file("counter", R"("seed":9007199254740992)"),
           u"seed: 9007199254740992 is above the maximum 9007199254740991"_s);
    addRow("seed fraction", file("counter", R"("seed":1.5)"),
           u"seed: 1.5 is not an integer; allowed: an integer from 0 to 9007199254740991"_s);
    addRow("time limit negative", file("counter", R"("time_limit_s":-0.5)"),
           u"time_limit_s: -0.5 is below the minimum 0"_s);
    addRow("time limit too long", file("counter", R"("time_limit_s":1000001)"),
           u"time_limit_s: 1000001 is above the maximum 1000000"_s);
    addRow("time limit too short", file("counter", R"("time_limit_s":0.0005)"),
           u"time_limit_s: 0.0005 is below the minimum 0.001"_s);
    addRow("time limit text", file("counter", R"("time_limit_s":"60")"),
           u"time_limit_s: \"60\" is a text; allowed: a number from 0 to 1000000"_s);
}

void addPoolRows()
{
    const QString methods = u"apply, apply_async, map, imap, imap_unordered, starmap"_s;
    addRow("no workers", poolFile(R"("workers":0)"), u"pool.workers: 0 is below the minimum 1"_s);
    addRow("too many workers", poolFile(R"("workers":257)"),
           u"pool.workers: 257 is above the maximum 256"_s);
    addRow("workers text", poolFile(R"("workers":"four")"),
           u"pool.workers: \"four\" is a text; allowed: an integer from 1 to 256"_s);
    addRow("workers fraction", poolFile(R"("workers":2.5)"),
           u"pool.workers: 2.5 is not an integer; allowed: an integer from 1 to 256"_s);
    addRow("workers huge", poolFile(R"("workers":1e300)"),
           u"pool.workers: 1e+300 is above the maximum 256"_s);
    addRow("workers true", poolFile(R"("workers":true)"),
           u"pool.workers: true is a truth value; allowed: an integer from 1 to 256"_s);
    addRow("workers null", poolFile(R"("workers":null)"),
           u"pool.workers: null; allowed: an integer from 1 to 256"_s);
    addRow("method", poolFile(R"("method":"mapp")"),
           u"pool.method: \"mapp\" is not one of "_s + methods + u"; did you mean map?"_s);
    addRow("method number", poolFile(R"("method":1)"),
           u"pool.method: 1 is a number; allowed: "_s + methods);
    addRow("start method", poolFile(R"("start_method":"thread")"),
           u"pool.start_method: \"thread\" is not one of spawn, forkserver, fork"_s);
    addRow("chunk size 0", poolFile(R"("chunk_size":0)"),
           u"pool.chunk_size: 0 is below the minimum 1"_s);
    addRow(
        "chunk size text", poolFile(R"("chunk_size":"big")"),
        u"pool.chunk_size: \"big\" is a text; allowed: an integer from 1 to 10000000, or \"auto\""_s);
    addRow(
        "chunk size misspelt", poolFile(R"("chunk_size":"atuo")"),
        u"pool.chunk_size: \"atuo\" is a text; allowed: an integer from 1 to 10000000, or \"auto\"; did you mean auto?"_s);
    addRow("max tasks", poolFile(R"("max_tasks_per_worker":-1)"),
           u"pool.max_tasks_per_worker: -1 is below the minimum 0"_s);
    addRow("on crash", poolFile(R"("on_crash":"ignore")"),
           u"pool.on_crash: \"ignore\" is not one of fail, retry"_s);
    addRow("task timeout", poolFile(R"("task_timeout_s":1000001)"),
           u"pool.task_timeout_s: 1000001 is above the maximum 1000000"_s);
    addRow("task timeout too short", poolFile(R"("task_timeout_s":1e-9)"),
           u"pool.task_timeout_s: 1e-09 is below the minimum 0.001"_s);
}

void addTaskRows()
{
    addRow("tasks missing", file("pool", {}),
           u"tasks: missing; an object with task and count is needed"_s);
    addRow("tasks a list", file("pool", R"("tasks":[])"), u"tasks: a list; allowed: an object"_s);
    addRow("task missing", taskFile(R"("count":1)"),
           u"tasks.task: missing; the name of a workload is needed"_s);
    addRow("count missing", taskFile(R"("task":"noop")"),
           u"tasks.count: missing; a count or tasks.args_list is needed"_s);
    addRow("count 0", taskFile(R"("task":"noop","count":0)"),
           u"tasks.count: 0 is below the minimum 1"_s);
    addRow("count too large", taskFile(R"("task":"noop","count":10000001)"),
           u"tasks.count: 10000001 is above the maximum 10000000"_s);
    addRow("argument unknown", taskFile(R"("task":"cpu.primes","count":1,"args":{"limitt":5})"),
           u"tasks.args.limitt: unknown; allowed: limit; did you mean limit?"_s);
    addRow(
        "argument beside args", taskFile(R"("task":"cpu.primes","count":1,"limit":5)"),
        u"tasks.limit: unknown; allowed: task, args, args_list, count; did you mean tasks.args.limit?"_s);
    addRow("workload", taskFile(R"("task":"cpu.prime","count":1)"),
           u"tasks.task: \"cpu.prime\" is not one of "_s + workloads() +
               u"; did you mean cpu.primes?"_s);
    addRow("workload unlike any", taskFile(R"("task":"walk","count":1)"),
           u"tasks.task: \"walk\" is not one of "_s + workloads());
    addRow("argument of none", taskFile(R"("task":"noop","count":1,"args":{"x":5})"),
           u"tasks.args.x: unknown; no key is allowed here"_s);
    addRow("argument text", taskFile(R"("task":"io.sleep","count":1,"args":{"min_s":"1"})"),
           u"tasks.args.min_s: \"1\" is a text; allowed: a number from 0 to 1000000"_s);
    addRow("argument below another",
           taskFile(R"("task":"io.sleep","count":1,"args":{"min_s":3,"max_s":2.5})"),
           u"tasks.args.max_s: 2.5 is below min_s; allowed: 3 or more"_s);
    addRow("default below an argument",
           taskFile(R"("task":"io.sleep","count":1,"args":{"min_s":3})"),
           u"tasks.args.max_s: 1 is below min_s; allowed: 3 or more"_s);
    addRow("argument below a default of another list entry",
           taskFile(R"("task":"io.sleep","args_list":[{"max_s":3},{"max_s":0,"min_s":0.1}])"),
           u"tasks.args_list.1.max_s: 0 is below min_s; allowed: 0.1 or more"_s);
    addRow("argument below", taskFile(R"("task":"io.sleep","count":1,"args":{"min_s":-1})"),
           u"tasks.args.min_s: -1 is below the minimum 0"_s);
    addRow("argument flag", taskFile(R"("task":"io.file","count":1,"args":{"fsync":1})"),
           u"tasks.args.fsync: 1 is a number; allowed: true or false"_s);
    addRow("argument fraction", taskFile(R"("task":"cpu.matmul","count":1,"args":{"n":1.5})"),
           u"tasks.args.n: 1.5 is not an integer; allowed: an integer from 1 to 4096"_s);
    addRow("args a list", taskFile(R"("task":"noop","count":1,"args":[])"),
           u"tasks.args: a list; allowed: an object"_s);
    addRow("args beside list",
           taskFile(R"("task":"cpu.primes","args":{"limit":1},"args_list":[{}])"),
           u"tasks.args: given beside tasks.args_list; allowed: one of the two"_s);
    addRow(
        "count differs", taskFile(R"("task":"cpu.primes","count":3,"args_list":[{},{}])"),
        u"tasks.count: 3 differs from the 2 entries of tasks.args_list; allowed: 2, or leave it out"_s);
    addRow("empty list", taskFile(R"("task":"cpu.primes","args_list":[])"),
           u"tasks.args_list: a list of 0; allowed: 1 to 10000000 entries"_s);
    addRow("list of numbers", taskFile(R"("task":"cpu.primes","args_list":[{},7])"),
           u"tasks.args_list.1: 7 is a number; allowed: an object"_s);
    addRow("argument in list", taskFile(R"("task":"cpu.primes","args_list":[{},{"limt":1}])"),
           u"tasks.args_list.1.limt: unknown; allowed: limit; did you mean limit?"_s);
    addRow(
        "hang without limit", taskFile(R"("task":"fail.hang","count":1)"),
        u"tasks.task: \"fail.hang\" never ends by itself; allowed with pool.task_timeout_s or time_limit_s above 0"_s);
}

void addPipelineRows()
{
    addRow("producers", pipelineFile(R"("producers":0)"),
           u"pipeline.producers: 0 is below the minimum 1"_s);
    addRow("producers too many", pipelineFile(R"("producers":129)"),
           u"pipeline.producers: 129 is above the maximum 128"_s);
    addRow("consumers", pipelineFile(R"("consumers":0)"),
           u"pipeline.consumers: 0 is below the minimum 1"_s);
    addRow("consumers too many", pipelineFile(R"("consumers":129)"),
           u"pipeline.consumers: 129 is above the maximum 128"_s);
    addRow("capacity", pipelineFile(R"("capacity":-1)"),
           u"pipeline.capacity: -1 is below the minimum 0"_s);
    addRow("capacity too large", pipelineFile(R"("capacity":1000001)"),
           u"pipeline.capacity: 1000001 is above the maximum 1000000"_s);
    addRow("items each", pipelineFile(R"("items_per_producer":0)"),
           u"pipeline.items_per_producer: 0 is below the minimum 1"_s);
    addRow("items each too many", pipelineFile(R"("items_per_producer":10000001)"),
           u"pipeline.items_per_producer: 10000001 is above the maximum 10000000"_s);
    addRow("item bytes", pipelineFile(R"("item_bytes":-1)"),
           u"pipeline.item_bytes: -1 is below the minimum 0"_s);
    addRow("item bytes too many", pipelineFile(R"("item_bytes":1048577)"),
           u"pipeline.item_bytes: 1048577 is above the maximum 1048576"_s);
    addRow("items a text", pipelineFile(R"("items":"apple")"),
           u"pipeline.items: \"apple\" is a text; allowed: a list of texts"_s);
    addRow("items of numbers", pipelineFile(R"("items":["apple",2])"),
           u"pipeline.items.1: 2 is a number; allowed: a text"_s);
    addRow("no items", pipelineFile(R"("items":[])"),
           u"pipeline.items: a list of 0; allowed: 1 to 1000000 entries"_s);
    addRow("items and count", pipelineFile(R"("items":["apple"],"items_per_producer":5)"),
           u"pipeline.items_per_producer: given beside pipeline.items; allowed: one of the two"_s);
    addRow("item too long",
           pipelineFile(R"("items":["a",")" + QByteArray((1 << 20) + 1, 'x') + R"("])"),
           u"pipeline.items.1: a text of 1048577 bytes; allowed: at most 1048576 bytes"_s);
    addRow("produce without task", pipelineFile({}, R"("produce":{})"),
           u"produce.task: missing; the name of a workload is needed"_s);
    addRow("consume with args only", pipelineFile({}, R"("consume":{"args":{}})"),
           u"consume.task: missing; the name of a workload is needed"_s);
    addRow("produce a text", pipelineFile({}, R"("produce":"noop")"),
           u"produce: \"noop\" is a text; allowed: an object"_s);
    addRow("produce has no count", pipelineFile({}, R"("produce":{"task":"noop","count":2})"),
           u"produce.count: unknown; allowed: task, args"_s);
    addRow("consume argument",
           pipelineFile({}, R"("consume":{"task":"cpu.primes","args":{"limit":-1}})"),
           u"consume.args.limit: -1 is below the minimum 0"_s);
    addRow(
        "consume hangs", pipelineFile({}, R"("consume":{"task":"fail.hang"})"),
        u"consume.task: \"fail.hang\" never ends by itself; allowed with time_limit_s above 0"_s);
}

void addCounterRows()
{
    addRow("processes", counterFile(R"("processes":0)"),
           u"counter.processes: 0 is below the minimum 1"_s);
    addRow("processes too many", counterFile(R"("processes":257)"),
           u"counter.processes: 257 is above the maximum 256"_s);
    addRow("increments", counterFile(R"("increments":0)"),
           u"counter.increments: 0 is below the minimum 1"_s);
    addRow("increments too many", counterFile(R"("increments":1000000001)"),
           u"counter.increments: 1000000001 is above the maximum 1000000000"_s);
    addRow("mode", counterFile(R"("mode":"mutex")"),
           u"counter.mode: \"mutex\" is not one of none, lock, atomic, local"_s);
    addRow("type", counterFile(R"("type":"list")"),
           u"counter.type: \"list\" is not one of value, array"_s);
    addRow("gap", counterFile(R"("gap_ns":-1)"), u"counter.gap_ns: -1 is below the minimum 0"_s);
    addRow("gap too long", counterFile(R"("gap_ns":1000001)"),
           u"counter.gap_ns: 1000001 is above the maximum 1000000"_s);
    addRow(
        "counter's start method", counterFile(R"("start_method":"vfork")"),
        u"counter.start_method: \"vfork\" is not one of spawn, forkserver, fork; did you mean fork?"_s);
}

void addValidRows()
{
    QTest::newRow("pool, least") << poolFile(
        R"("workers":1,"chunk_size":1,"max_tasks_per_worker":0,"task_timeout_s":0)",
        R"("seed":0,"time_limit_s":0)");
    QTest::newRow("pool, most") << poolFile(
        R"("workers":256,"chunk_size":10000000,"task_timeout_s":1e6,"start_method":"spawn","on_crash":"retry")",
        R"("seed":9007199254740991,"time_limit_s":1e6,"title":"")");
    QTest::newRow("chunk size auto") << poolFile(R"("chunk_size":"auto")");
    QTest::newRow("whole numbers with exponent") << poolFile(R"("workers":0.2e1,"chunk_size":1e3)");
    QTest::newRow("most tasks") << taskFile(R"("task":"noop","count":10000000)");
    QTest::newRow("list and equal count")
        << taskFile(R"("task":"cpu.primes","count":2,"args_list":[{},{"limit":9}])");
    QTest::newRow("hang with timeout")
        << file("pool", R"("pool":{"task_timeout_s":1},"tasks":{"task":"fail.hang","count":1})");
    QTest::newRow("hang with time limit")
        << file("pool", R"("time_limit_s":1,"tasks":{"task":"fail.hang","count":1})");
    QTest::newRow("pipeline without block") << file("pipeline", {});
    QTest::newRow("pipeline, least") << pipelineFile(
        R"("producers":1,"consumers":1,"capacity":0,"items_per_producer":1,"item_bytes":0)");
    QTest::newRow("pipeline, most processes")
        << pipelineFile(R"("producers":128,"consumers":128,"capacity":1000000)");
    QTest::newRow("texts") << pipelineFile(R"("items":["","apple","ü"])",
                                           R"("produce":{"task":"noop"})");
    QTest::newRow("counter without block") << file("counter", {});
    QTest::newRow("counter, most") << counterFile(
        R"("processes":256,"increments":1000000000,"gap_ns":1000000,"type":"array","mode":"none")");
    QTest::newRow("byte order mark") << QByteArray("\xEF\xBB\xBF" + file("counter", {}));
}

} // namespace

class tst_Spec : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eachFaultIsOneLine_data();
    void eachFaultIsOneLine();
    void textThatIsNoJsonNamesItsPlace_data();
    void textThatIsNoJsonNamesItsPlace();
    void hostileTextIsRefused_data();
    void hostileTextIsRefused();
    void tooLargeTextIsRefused();
    void allFaultsAreToldInOrder();
    void faultStaysOnOneLine();
    void manyFaultsAreBounded();
    void everyAllowedEdgeIsAccepted_data();
    void everyAllowedEdgeIsAccepted();
    void defaultsFollowFromOtherFields();
    void argumentsHaveTheirDefaults();
    void settingAndUnsetting();
    void settingInLists();
    void kindCanBeSet();
    void writtenFileReadsTheSame_data();
    void writtenFileReadsTheSame();
    void filledFileIsCompleteAndValid_data();
    void filledFileIsCompleteAndValid();
    void unreadableFileIsTold();
    void pipeIsReadToItsEnd();
    void loadedFileIsTheText();
};

void tst_Spec::eachFaultIsOneLine_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("line");
    addHeadRows();
    addKeyRows();
    addRunRows();
    addPoolRows();
    addTaskRows();
    addPipelineRows();
    addCounterRows();
}

void tst_Spec::eachFaultIsOneLine()
{
    QFETCH(const QByteArray, json);
    QFETCH(const QString, line);
    QCOMPARE(faultsOf(json), QStringList{line});
}

void tst_Spec::textThatIsNoJsonNamesItsPlace_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("line");
    const QString value = u"; a value is expected"_s;
    addRow("empty", "", u"x.json:1:1: the text ends here"_s + value);
    addRow("spaces", "  \n ", u"x.json:2:2: the text ends here"_s + value);
    addRow("word", "hello", u"x.json:1:1: unexpected h"_s + value);
    addRow("missing value", "{\n  \"version\": ,\n}", u"x.json:2:14: unexpected ,"_s + value);
    addRow("trailing comma", "{\n  \"version\": 1,\n}",
           u"x.json:3:1: unexpected }; a key in quotation marks is expected"_s);
    addRow("missing comma", "{\"a\": 1 \"b\": 2}",
           u"x.json:1:9: unexpected \"; a comma or } is expected"_s);
    addRow("missing colon", "{\"a\" 1}", u"x.json:1:6: unexpected 1; a colon is expected"_s);
    addRow("open list", "[1, 2", u"x.json:1:6: the text ends here; a comma or ] is expected"_s);
    addRow("wrong bracket", "[1}", u"x.json:1:3: unexpected }; a comma or ] is expected"_s);
    addRow("open text", "{\"a", u"x.json:1:4: the text ends here; a quotation mark is expected"_s);
    addRow("line break in text", "{\"a\nb\": 1}",
           u"x.json:1:4: unexpected \\u000a; control characters are written as \\n or \\u000A"_s);
    addRow("escape", R"({"\x": 1})",
           u"x.json:1:4: unexpected x; one of \" \\ / b f n r t u is expected"_s);
    addRow("short escape", R"({"\u12": 1})",
           u"x.json:1:5: unexpected 1; four hexadecimal digits are expected"_s);
    addRow("two values", "{} {}", u"x.json:1:4: unexpected {; the end of the text is expected"_s);
    addRow("comment", "// no\n{}", u"x.json:1:1: unexpected /"_s + value);
    addRow("1e400", "{\"a\":\n  1e400}", u"x.json:2:3: the number 1e400 is too large"_s);
    addRow("NaN", "{\"a\": NaN}", u"x.json:1:7: unexpected N"_s + value);
    addRow("leading zero", "{\"a\": 01}", u"x.json:1:8: unexpected 1; a comma or } is expected"_s);
    addRow("point without digits", "{\"a\": 1.}",
           u"x.json:1:9: unexpected }; a digit is expected"_s);
    addRow("plus", "{\"a\": +1}", u"x.json:1:7: unexpected +"_s + value);
    addRow("single quotes", "{'a': 1}",
           u"x.json:1:2: unexpected '; a key in quotation marks is expected"_s);
    addRow("columns are characters", "{\"äöü€😀\": x}", u"x.json:1:11: unexpected x"_s + value);
    addRow("character", "{\"a\": 😀}", u"x.json:1:7: unexpected 😀"_s + value);
    addRow("control byte", QByteArray("{\"a\": \0}", 8),
           u"x.json:1:7: unexpected \\u0000"_s + value);
}

void tst_Spec::textThatIsNoJsonNamesItsPlace()
{
    QFETCH(const QByteArray, json);
    QFETCH(const QString, line);
    QCOMPARE(faultsOf(json), QStringList{line});
}

void tst_Spec::hostileTextIsRefused_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("part");
    const QString deep = u"nested deeper than 64"_s;
    QTest::newRow("2,000,000 open lists") << QByteArray(2'000'000, '[') << deep;
    QTest::newRow("300,000 open objects") << QByteArray("{\"a\":").repeated(300'000) << deep;
    QTest::newRow("65 lists in a field")
        << counterFile(R"("mode":)" + QByteArray(65, '[') + QByteArray(65, ']')) << deep;
    QTest::newRow("byte 0xFF") << QByteArray("{\"a\":\"\xFF\"}") << u"0xff is not UTF-8"_s;
    QTest::newRow("overlong") << QByteArray("{\"a\":\"\xC0\x80\"}") << u"0xc0 is not UTF-8"_s;
    QTest::newRow("overlong, three bytes")
        << QByteArray("{\"a\":\"\xE0\x80\x80\"}") << u"0xe0 is not UTF-8"_s;
    QTest::newRow("surrogate") << QByteArray("{\"a\":\"\xED\xA0\x80\"}") << u"0xed is not UTF-8"_s;
    QTest::newRow("beyond Unicode")
        << QByteArray("{\"a\":\"\xF4\x90\x80\x80\"}") << u"0xf4 is not UTF-8"_s;
    QTest::newRow("cut off in a character")
        << QByteArray("{\"a\":\"\xE2\x82") << u"0xe2 is not UTF-8"_s;
    QTest::newRow("cut off in an escape")
        << QByteArray(R"({"a":"\u00)") << u"four hexadecimal digits"_s;
    QTest::newRow("cut off after a backslash")
        << QByteArray(R"({"a":"\)") << u"the text ends here"_s;
    QTest::newRow("cut off in a number") << QByteArray(R"({"a":-)") << u"a digit is expected"_s;
    QTest::newRow("cut off in a word") << QByteArray(R"({"a":tru)") << u"a value is expected"_s;
    QTest::newRow("million digits")
        << QByteArray("{\"a\":" + QByteArray(1'000'000, '9') + '}') << u"is too large"_s;
    QTest::newRow("a program") << QByteArray::fromHex("7f454c4602010100")
                               << u"a value is expected"_s;
}

void tst_Spec::hostileTextIsRefused()
{
    QFETCH(const QByteArray, json);
    QFETCH(const QString, part);
    const QStringList faults = faultsOf(json);
    QCOMPARE(faults.size(), 1);
    QVERIFY2(faults.first().startsWith(u"x.json:1:"_s), qPrintable(faults.first()));
    QVERIFY2(faults.first().contains(part), qPrintable(faults.first()));
    QVERIFY(faults.first().size() < 200);
}

void tst_Spec::tooLargeTextIsRefused()
{
    QByteArray json = file("counter", {});
    json += QByteArray(2 * 1024 * 1024 + 1 - json.size(), ' ');
    QCOMPARE(faultsOf(json),
             QStringList{u"x.json: the file is too large; allowed: at most 2 MiB"_s});
    json.chop(1);
    QCOMPARE(faultsOf(json), QStringList());
}

void tst_Spec::allFaultsAreToldInOrder()
{
    const QStringList faults = faultsOf(file("pool", R"("title":7,"seed":-1,"color":"red",
        "pool":{"workers":0,"method":"mapp","start_method":"thread","worker":3},
        "tasks":{"task":"cpu.primes","count":0,"args":{"limitt":1}})"));
    QStringList paths;
    for (const QString &line : faults)
        paths.append(line.section(u':', 0, 0));
    QCOMPARE(paths, (QStringList{u"pool.workers"_s, u"pool.worker"_s, u"pool.method"_s,
                                 u"pool.start_method"_s, u"tasks.args.limitt"_s, u"tasks.count"_s,
                                 u"seed"_s, u"title"_s, u"color"_s}));
}

void tst_Spec::faultStaysOnOneLine()
{
    const QString key = u"a\nb\x1b[31m"_s + QString(500, u'x');
    ExperimentSpec spec(u"counter"_s);
    spec.set(u"counter.mode"_s, key);
    spec.set(key, 1);
    const QStringList faults = lines(spec.check());
    QCOMPARE(faults.size(), 2);
    for (const QString &line : faults) {
        QVERIFY2(!line.contains(u'\n') && !line.contains(QChar(0x1b)), qPrintable(line));
        QVERIFY2(line.contains(u"a\\u000ab\\u001b[31m"_s), qPrintable(line));
        QVERIFY(line.size() < 250);
    }
}

void tst_Spec::manyFaultsAreBounded()
{
    QByteArray json = R"({"version":1,"kind":"counter")";
    for (int i = 0; i < 20'000; ++i)
        json += ",\"key" + QByteArray::number(i) + "\":0";
    QCOMPARE(faultsOf(json + '}').size(), 1'000);
    const QByteArray entries = QByteArray(R"({"x":1},)").repeated(20'000).chopped(1);
    const QByteArray list = taskFile(R"("task":"cpu.primes","args_list":[)" + entries + ']');
    QCOMPARE(faultsOf(list).size(), 1'000);
}

void tst_Spec::everyAllowedEdgeIsAccepted_data()
{
    QTest::addColumn<QByteArray>("json");
    addValidRows();
}

void tst_Spec::everyAllowedEdgeIsAccepted()
{
    QFETCH(const QByteArray, json);
    QCOMPARE(faultsOf(json), QStringList());
}

void tst_Spec::defaultsFollowFromOtherFields()
{
    ExperimentSpec pool(u"pool"_s);
    QCOMPARE(pool.integer(u"pool.workers"_s), std::min(usableCores(), 256));
    QCOMPARE(pool.value(u"pool.chunk_size"_s), QJsonValue(1));
    for (const QString &method : {u"map"_s, u"imap"_s, u"imap_unordered"_s, u"starmap"_s}) {
        pool.set(u"pool.method"_s, method);
        QCOMPARE(pool.value(u"pool.chunk_size"_s), QJsonValue(u"auto"_s));
    }
    pool.set(u"pool.method"_s, u"apply"_s);
    QCOMPARE(pool.value(u"pool.chunk_size"_s), QJsonValue(1));
    pool.set(u"tasks.args_list"_s, QJsonArray{QJsonObject(), QJsonObject(), QJsonObject()});
    QCOMPARE(pool.integer(u"tasks.count"_s), 3);

    ExperimentSpec counter(u"counter"_s);
    QCOMPARE(counter.integer(u"counter.gap_ns"_s), 0);
    counter.set(u"counter.mode"_s, u"none"_s);
    QCOMPARE(counter.integer(u"counter.gap_ns"_s), 100);

    ExperimentSpec pipeline(u"pipeline"_s);
    QCOMPARE(pipeline.integer(u"pipeline.items_per_producer"_s), 1000);
    pipeline.set(u"pipeline.items"_s, QJsonArray{u"apple"_s});
    QVERIFY(pipeline.value(u"pipeline.items_per_producer"_s).isUndefined());
    QCOMPARE(pipeline.text(u"title"_s), u"pipeline"_s);
    QVERIFY(pipeline.value(u"produce.task"_s).isUndefined());
    QVERIFY(pipeline.value(u"no.such.field"_s).isUndefined());
}

void tst_Spec::argumentsHaveTheirDefaults()
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"tasks.task"_s, u"io.sleep"_s);
    QCOMPARE(spec.number(u"tasks.args.max_s"_s), 1.0);
    spec.set(u"tasks.args.max_s"_s, 3);
    QCOMPARE(spec.number(u"tasks.args.max_s"_s), 3.0);
    QVERIFY(spec.value(u"tasks.args.limit"_s).isUndefined());
}

void tst_Spec::settingAndUnsetting()
{
    ExperimentSpec spec(u"pool"_s);
    const ExperimentSpec fresh = spec;
    spec.set(u"pool.workers"_s, 3);
    QVERIFY(spec.isSet(u"pool.workers"_s));
    QVERIFY(!(spec == fresh));
    spec.set(u"pool.workers"_s, QJsonValue(QJsonValue::Undefined));
    QVERIFY(!spec.isSet(u"pool.workers"_s));
    QVERIFY(spec == fresh);
    spec.set(u"version"_s, 1);
    QVERIFY(spec == fresh);
    spec.set(u"pool.wrkers"_s, 3);
    QCOMPARE(spec.check().size(), 1);
    QCOMPARE(spec.check().first().subject, u"pool.wrkers"_s);
}

void tst_Spec::settingInLists()
{
    ExperimentSpec spec(u"pipeline"_s);
    spec.set(u"pipeline.items"_s, QJsonArray{u"apple"_s, u"banana"_s});
    spec.set(u"pipeline.items.1"_s, u"cherry"_s);
    QCOMPARE(spec.value(u"pipeline.items"_s), QJsonValue(QJsonArray{u"apple"_s, u"cherry"_s}));
    QCOMPARE(spec.text(u"pipeline.items.0"_s), u"apple"_s);
    spec.set(u"pipeline.items.0"_s, QJsonValue(QJsonValue::Undefined));
    QCOMPARE(spec.value(u"pipeline.items"_s), QJsonValue(QJsonArray{u"cherry"_s}));
}

void tst_Spec::kindCanBeSet()
{
    ExperimentSpec spec(u"pool"_s);
    spec.set(u"kind"_s, u"counter"_s);
    QVERIFY(spec == ExperimentSpec(u"counter"_s));
    spec.set(u"kind"_s, 5);
    QCOMPARE(spec.check().first().subject, u"kind"_s);
}

void tst_Spec::writtenFileReadsTheSame_data()
{
    everyAllowedEdgeIsAccepted_data();
}

void tst_Spec::writtenFileReadsTheSame()
{
    QFETCH(const QByteArray, json);
    const auto spec = ExperimentSpec::parse(json, {});
    QVERIFY(spec);
    const auto again = ExperimentSpec::parse(QJsonDocument(spec->toJson()).toJson(), {});
    QVERIFY(again);
    QVERIFY(*again == *spec);
}

void tst_Spec::filledFileIsCompleteAndValid_data()
{
    everyAllowedEdgeIsAccepted_data();
    for (const Kind &kind : kinds()) {
        if (kind.isAvailable())
            QTest::newRow(qPrintable(kind.name))
                << QJsonDocument(ExperimentSpec(kind.name).toJson()).toJson();
    }
}

void tst_Spec::filledFileIsCompleteAndValid()
{
    QFETCH(const QByteArray, json);
    const auto spec = ExperimentSpec::parse(json, {});
    QVERIFY(spec);
    const QJsonObject filled = spec->toJson(ExperimentSpec::Fill::Defaults);
    const auto again = ExperimentSpec::parse(QJsonDocument(filled).toJson(), {});
    QVERIFY(again);
    QCOMPARE(lines(again->check()), QStringList());
    for (const Field &field : spec->kindInfo()->schema) {
        if (field.type != Field::Type::Arguments)
            QCOMPARE(again->isSet(field.path), !spec->value(field.path).isUndefined());
    }
    QCOMPARE(again->toJson(ExperimentSpec::Fill::Defaults), filled);
}

void tst_Spec::unreadableFileIsTold()
{
    const QTemporaryDir folder;
    QList<Error> faults;
    const auto missing = ExperimentSpec::load(folder.filePath(u"none.proclab.json"_s), &faults);
    QVERIFY(!missing);
    QCOMPARE(missing.error().code, ErrorCode::OsError);
    QCOMPARE(missing.error().systemCode, ENOENT);
    QCOMPARE(faults.size(), 1);
    const auto onlyFolder = ExperimentSpec::load(folder.path());
    QVERIFY(!onlyFolder);
    QCOMPARE(errorText(onlyFolder.error()),
             QString(folder.path() % u": a folder; allowed: a file"_s));
    const auto endless = ExperimentSpec::load(u"/dev/zero"_s);
    QVERIFY(!endless);
    QVERIFY(errorText(endless.error()).contains(u"too large"_s));
}

/// A pipe into which nobody ever writes must not hold anybody up.
void tst_Spec::pipeIsReadToItsEnd()
{
    const QTemporaryDir folder;
    const QByteArray name = QFile::encodeName(folder.filePath(u"pipe.proclab.json"_s));
    QCOMPARE(::mkfifo(name.constData(), 0600), 0);
    QVERIFY(!ExperimentSpec::load(QFile::decodeName(name)));
    // Without a reader of its own it could not be opened for writing without waiting.
    const int reader = ::open(name.constData(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int writer = ::open(name.constData(), O_WRONLY | O_CLOEXEC);
    const auto silent = ExperimentSpec::load(QFile::decodeName(name));
    QVERIFY(!silent);
    QCOMPARE(silent.error().systemCode, ETIMEDOUT);
    const QByteArray json = counterFile(R"("processes":3)");
    QCOMPARE(::write(writer, json.constData(), static_cast<std::size_t>(json.size())), json.size());
    std::thread closing([writer] { ::close(writer); });
    const auto spec = ExperimentSpec::load(QFile::decodeName(name));
    closing.join();
    ::close(reader);
    QVERIFY(spec);
    QCOMPARE(spec->integer(u"counter.processes"_s), 3);
}

void tst_Spec::loadedFileIsTheText()
{
    const QTemporaryDir folder;
    QFile out(folder.filePath(u"a.proclab.json"_s));
    QVERIFY(out.open(QIODevice::WriteOnly));
    const QByteArray json = counterFile(R"("processes":3)");
    QCOMPARE(out.write(json), json.size());
    out.close();
    const auto spec = ExperimentSpec::load(out.fileName());
    QVERIFY(spec);
    QVERIFY(*spec == *ExperimentSpec::parse(json, {}));
    QCOMPARE(spec->integer(u"counter.processes"_s), 3);
}

QTEST_GUILESS_MAIN(tst_Spec)
#include "tst_spec.moc"
