// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/runtime/workloads/workload.h"

#include "core/runtime/workloads/loop_progress.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <nettle/sha2.h>
#include <zlib.h>

namespace proclab::runtime {

namespace {

/// How many bytes a task works on before it tells how far it is.
constexpr std::size_t bytesATell = 1 << 18;

/// The input of the tasks that work on bytes: byte k is k mod 256.
std::vector<std::uint8_t> countingBytes(std::int64_t count)
{
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
    for (std::size_t k = 0; k < bytes.size(); ++k)
        bytes[k] = static_cast<std::uint8_t>(k);
    return bytes;
}

constexpr ArgumentInfo primesArguments[] = {
    {"limit", ArgumentType::Integer, "", "Numbers below this are tried.", 0, 1e9, 200'000, {}},
};

TaskValue primes(const TaskContext &context)
{
    const auto limit = static_cast<std::uint32_t>(context.args.integer(0));
    std::int64_t count = 0;
    LoopProgress progress({context.progress}, limit, 1.5); // A prime n costs its root.
    for (std::uint32_t number = 2; number < limit; ++number) {
        progress.at(number);
        bool isPrime = true;
        for (std::uint32_t divisor = 2; divisor * divisor <= number; ++divisor) {
            if (number % divisor == 0) {
                isPrime = false;
                break;
            }
        }
        count += isPrime ? 1 : 0;
    }
    return TaskValue::ofInteger(count);
}

constexpr ArgumentInfo sha256Arguments[] = {
    {"bytes",
     ArgumentType::Integer,
     "bytes",
     "Length of the input; byte k is k mod 256.",
     0,
     1 << 30,
     1 << 20,
     {}},
    {"rounds",
     ArgumentType::Integer,
     "",
     "How often to hash; each further round hashes the digest.",
     1,
     1e9,
     10'000,
     {}},
};

std::int64_t blocksIn(std::size_t bytes)
{
    return static_cast<std::int64_t>(bytes / SHA256_BLOCK_SIZE);
}

TaskValue sha256(const TaskContext &context)
{
    const std::vector<std::uint8_t> bytes = countingBytes(context.args.integer(0));
    const std::int64_t rounds = context.args.integer(1);
    const std::int64_t blocks = blocksIn(bytes.size()); // A round hashes one.
    LoopProgress progress({context.progress}, blocks + rounds);
    TaskValue value;
    value.type = TaskValue::Type::Digest;
    sha256_ctx hash;
    sha256_init(&hash);
    for (std::size_t done = 0; done < bytes.size(); done += bytesATell) {
        progress.at(blocksIn(done));
        sha256_update(&hash, std::min(bytesATell, bytes.size() - done), bytes.data() + done);
    }
    sha256_digest(&hash, sizeof value.digest, value.digest);
    for (std::int64_t round = 1; round < rounds; ++round) {
        progress.at(blocks + round);
        sha256_update(&hash, sizeof value.digest, value.digest);
        sha256_digest(&hash, sizeof value.digest, value.digest);
    }
    return value;
}

constexpr ArgumentInfo matmulArguments[] = {
    {"n", ArgumentType::Integer, "", "Rows and columns of each matrix.", 1, 4'096, 160, {}},
};

TaskValue matmul(const TaskContext &context)
{
    const auto n = static_cast<std::size_t>(context.args.integer(0));
    std::vector<std::int64_t> a(n * n);
    std::vector<std::int64_t> b(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            a[i * n + j] = static_cast<std::int64_t>((i * n + j) % 7);
            b[i * n + j] = static_cast<std::int64_t>((i + 2 * j) % 5);
        }
    }
    std::vector<std::int64_t> row(n);
    std::uint64_t sum = 0;
    LoopProgress progress({context.progress}, context.args.integer(0));
    for (std::size_t i = 0; i < n; ++i) {
        progress.at(static_cast<std::int64_t>(i));
        std::fill(row.begin(), row.end(), 0);
        for (std::size_t k = 0; k < n; ++k) {
            for (std::size_t j = 0; j < n; ++j)
                row[j] += a[i * n + k] * b[k * n + j];
        }
        for (const std::int64_t element : row)
            sum += static_cast<std::uint64_t>(element);
    }
    return TaskValue::ofUnsigned(sum);
}

constexpr ArgumentInfo mandelbrotArguments[] = {
    {"width", ArgumentType::Integer, "px", "Columns.", 1, 16'384, 200, {}},
    {"height", ArgumentType::Integer, "px", "Rows.", 1, 16'384, 150, {}},
    {"iterations", ArgumentType::Integer, "", "The most iterations of one point.", 1, 1e6, 200, {}},
};

TaskValue mandelbrot(const TaskContext &context)
{
    const std::int64_t width = context.args.integer(0);
    const std::int64_t height = context.args.integer(1);
    const std::int64_t most = context.args.integer(2);
    std::int64_t sum = 0;
    LoopProgress progress({context.progress}, height);
    for (std::int64_t y = 0; y < height; ++y) {
        progress.at(y);
        const double cy = -1.5 + 3.0 * static_cast<double>(y) / static_cast<double>(height);
        for (std::int64_t x = 0; x < width; ++x) {
            const double cx = -2.0 + 3.0 * static_cast<double>(x) / static_cast<double>(width);
            double zx = 0;
            double zy = 0;
            std::int64_t iteration = 0;
            while (iteration < most && zx * zx + zy * zy <= 4.0) {
                const double next = zx * zx - zy * zy + cx;
                zy = 2.0 * zx * zy + cy;
                zx = next;
                ++iteration;
            }
            sum += iteration;
        }
    }
    return TaskValue::ofInteger(sum);
}

constexpr ArgumentInfo compressArguments[] = {
    {"bytes",
     ArgumentType::Integer,
     "bytes",
     "Length of the input; byte k is k mod 256.",
     0,
     1 << 30,
     1 << 20,
     {}},
    {"level",
     ArgumentType::Integer,
     "",
     "zlib's level, 1 (fast) to 9 (small); 0 stores, in blocks that depend on the buffers.",
     0,
     9,
     6,
     {}},
};

TaskValue compressBytes(const TaskContext &context)
{
    std::vector<std::uint8_t> bytes = countingBytes(context.args.integer(0));
    const auto level = static_cast<int>(context.args.integer(1));
    std::vector<std::uint8_t> compressed(compressBound(static_cast<uLong>(bytes.size())));
    z_stream stream = {};
    if (deflateInit(&stream, level) != Z_OK)
        throw std::runtime_error("zlib refused the level");
    stream.next_out = compressed.data();
    stream.avail_out = static_cast<uInt>(compressed.size());
    // The pieces change nothing, except at level 0, where blocks end with them.
    const std::size_t most = level == 0 ? bytes.size() : bytesATell;
    LoopProgress progress({context.progress}, static_cast<std::int64_t>(bytes.size()));
    std::size_t given = 0;
    int status = Z_OK;
    do {
        progress.at(static_cast<std::int64_t>(given));
        const std::size_t piece = std::min(most, bytes.size() - given);
        stream.next_in = bytes.data() + given;
        stream.avail_in = static_cast<uInt>(piece);
        given += piece;
        status = deflate(&stream, given < bytes.size() ? Z_NO_FLUSH : Z_FINISH);
    } while (status == Z_OK && given < bytes.size());
    deflateEnd(&stream);
    if (status != Z_STREAM_END)
        throw std::runtime_error("zlib refused the data");
    return TaskValue::ofInteger(static_cast<std::int64_t>(stream.total_out));
}

constexpr ArgumentInfo blurArguments[] = {
    {"width", ArgumentType::Integer, "px", "Columns.", 1, 16'384, 640, {}},
    {"height", ArgumentType::Integer, "px", "Rows.", 1, 16'384, 480, {}},
    {"radius", ArgumentType::Integer, "px", "Pixels on each side that count.", 0, 256, 4, {}},
};

/// How the lines of one direction of the blur lie in the image, in pixels.
struct Lines
{
    std::int64_t count = 0;
    std::int64_t lineStep = 0; ///< From the begin of a line to that of the next.
    std::int64_t length = 0;
    std::int64_t step = 0; ///< From a pixel to the next in its line.
};

void blurLines(const std::vector<std::uint32_t> &from, std::vector<std::uint32_t> &to,
               const Lines &lines, std::int64_t radius, ProgressRange range)
{
    LoopProgress progress(range, lines.count);
    const auto width = static_cast<std::uint32_t>(2 * radius + 1);
    for (std::int64_t line = 0; line < lines.count; ++line) {
        progress.at(line);
        const std::int64_t begin = line * lines.lineStep;
        for (std::int64_t i = 0; i < lines.length; ++i) {
            std::uint32_t sum = 0;
            for (std::int64_t k = i - radius; k <= i + radius; ++k) {
                const std::int64_t inside = std::clamp<std::int64_t>(k, 0, lines.length - 1);
                sum += from[static_cast<std::size_t>(begin + inside * lines.step)];
            }
            to[static_cast<std::size_t>(begin + i * lines.step)] = sum / width;
        }
    }
}

TaskValue blur(const TaskContext &context)
{
    const std::int64_t width = context.args.integer(0);
    const std::int64_t height = context.args.integer(1);
    const std::int64_t radius = context.args.integer(2);
    std::vector<std::uint32_t> image(static_cast<std::size_t>(width * height));
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x)
            image[static_cast<std::size_t>(y * width + x)] =
                static_cast<std::uint32_t>((7 * x + 13 * y) % 256);
    }
    std::vector<std::uint32_t> across(image.size());
    const Lines rows = {.count = height, .lineStep = width, .length = width, .step = 1};
    const Lines columns = {.count = width, .lineStep = 1, .length = height, .step = width};
    blurLines(image, across, rows, radius, {context.progress, 0, 0.5});
    blurLines(across, image, columns, radius, {context.progress, 0.5, 1});
    std::uint64_t checksum = 0;
    for (std::size_t i = 0; i < image.size(); ++i)
        checksum += image[i] * (i + 1);
    return TaskValue::ofUnsigned(checksum);
}

constexpr WorkloadInfo cpuTable[] = {
    {"cpu.blur", "Blur an image",
     "Box blur of a grey image, pixel (x, y) = (7x + 13y) mod 256: each row, then each column; a "
     "pixel becomes the mean, rounded down, of itself and radius neighbours on each side, where "
     "the pixels at the edge repeat.",
     "sum of value × (position + 1) over all pixels in row order, modulo 2^64", blurArguments,
     blur},
    {"cpu.compress", "Compress",
     "Compresses bytes k mod 256 in one piece with zlib, as Python's zlib.compress(data, level).",
     "compressed size in bytes", compressArguments, compressBytes},
    {"cpu.mandelbrot", "Mandelbrot set",
     "For each pixel (x, y) iterates z = z² + c from z = 0, at most iterations times and only "
     "while |z|² ≤ 4, c = (−2 + 3·x/width) + (−1.5 + 3·y/height)i, in doubles without fused "
     "multiply-add.",
     "sum of the iterations", mandelbrotArguments, mandelbrot},
    {"cpu.matmul", "Multiply matrices",
     "Multiplies two n × n matrices of 64-bit integers, a = (i·n + j) mod 7 and b = (i + 2j) mod "
     "5 in row i, column j, both from 0.",
     "sum of all elements, modulo 2^64", matmulArguments, matmul},
    {"cpu.primes", "Count primes",
     "Counts the primes below the limit by trial division of each number, by 2, 3, 4 … up to its "
     "root; it is meant to cost time.",
     "how many primes", primesArguments, primes},
    {"cpu.sha256", "Hash with SHA-256",
     "Hashes bytes k mod 256; each further round hashes the 32 bytes of the digest before.",
     "last digest, 64 hexadecimal digits", sha256Arguments, sha256},
};

} // namespace

std::span<const WorkloadInfo> cpuWorkloads()
{
    return cpuTable;
}

} // namespace proclab::runtime
