/* Finds the grounds that light type may stand on. */
#include "light_grounds.h"

#include <stdlib.h>
#include <string.h>

/* The ground is the median of the samples in a window that reaches FAR samples along rows and CLOSE along columns, or
 * the other way round: a table's bar is no higher than two lines of type. The darker of both counts. At least
 * ALIKE_PERCENT of the window must lie within ALIKE steps of COARSE levels of it: a tint does, small blurred type does
 * not. */
enum { FAR = 8, CLOSE = 2, COARSE = 4, ALIKE = 4, ALIKE_PERCENT = 48 };

/* Samples, gone through by rows or by columns: ``beside`` and ``below`` are the octets to the next one in both
 * directions. */
typedef struct {
    const uint8_t *grey;
    Size size;
    ptrdiff_t beside, below;
} Samples;

WIDE static void take_sample_row(uint8_t *restrict samples, uint8_t *restrict dark, const uint8_t *restrict row,
                                 ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++) {
        samples[x] = row[EVERY * x];
        dark[x] = row[EVERY * x] < GROUND_BELOW;
    }
}

/* Copies the samples of a plane, and sets ``dark`` to those that may be of a ground. */
static void take_samples(uint8_t *samples, uint8_t *dark, Size small, const Band *band)
{
    ptrdiff_t apart = rows_of_sample(band) * band->size.width;
    for (ptrdiff_t y = 0; y < small.rows; y++)
        take_sample_row(samples + y * small.width, dark + y * small.width, band->under_tone + y * apart, small.width);
}

/* Samples of a window, in bins of COARSE levels. ALIKE bins at either end stay empty. */
enum { BINS = 256 / COARSE };
typedef struct {
    uint16_t bins[ALIKE + BINS + ALIKE];
    int count, bin, darker; /* samples; the median's bin, and samples in darker ones */
} Window;

/* Adds ``by`` (1 or -1) to the window for ``count`` samples, ``step`` octets apart. */
static void count_samples(Window *window, const uint8_t *grey, ptrdiff_t step, ptrdiff_t count, int by)
{
    for (ptrdiff_t each = 0; each < count; each++, grey += step) {
        int bin = ALIKE + *grey / COARSE;
        window->bins[bin] = (uint16_t)(window->bins[bin] + by);
        window->darker += bin < window->bin ? by : 0;
    }
    window->count += by * (int)count;
}

/* Replaces samples by others; most are of the same bin. */
static void replace_samples(Window *window, const uint8_t *old, const uint8_t *new, ptrdiff_t step, ptrdiff_t count)
{
    for (ptrdiff_t each = 0; each < count; each++, old += step, new += step) {
        int from = ALIKE + *old / COARSE, to = ALIKE + *new / COARSE;
        if (from == to)
            continue;
        window->bins[from]--;
        window->bins[to]++;
        window->darker += (to < window->bin) - (from < window->bin);
    }
}

/* Huang's sliding median over a window of 2 x ``far`` + 1 by 2 x ``close`` + 1 samples. ``row`` and ``column`` are
 * the strides of ``medians`` and ``dark``. ``medians`` become darker only. ``dark`` is the number of samples below
 * GROUND_BELOW in the window; where fewer than half are, no median is taken. */
static void take_medians(uint8_t *medians, const uint16_t *dark, Samples samples, ptrdiff_t row, ptrdiff_t column,
                         int far, int close)
{
    Size size = samples.size;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        ptrdiff_t top = y < close ? 0 : y - close, below = y + close < size.rows ? y + close + 1 : size.rows;
        const uint8_t *columns = samples.grey + top * samples.below;
        Window window = {.bin = ALIKE};
        ptrdiff_t taken = 0, begun = 0; /* columns in the window: from ``begun`` to before ``taken`` */
        for (ptrdiff_t x = 0; x < size.width; x++) {
            ptrdiff_t here = y * row + x * column;
            if (dark[here] == 0) /* most of a page */
                continue;
            ptrdiff_t from = x < far ? 0 : x - far, to = x + far < size.width ? x + far + 1 : size.width;
            if (2 * dark[here] < (to - from) * (below - top))
                continue;
            if (from >= taken) { /* the windows do not overlap */
                window = (Window){.bin = window.bin};
                begun = taken = from;
            }
            for (; taken < to && begun < from; taken++, begun++)
                replace_samples(&window, columns + begun * samples.beside, columns + taken * samples.beside,
                                samples.below, below - top);
            for (; taken < to; taken++)
                count_samples(&window, columns + taken * samples.beside, samples.below, below - top, 1);
            for (; begun < from; begun++)
                count_samples(&window, columns + begun * samples.beside, samples.below, below - top, -1);
            int bin = window.bin, darker = window.darker, count = window.count;
            while (bin < ALIKE + BINS - 1 && 2 * (darker + window.bins[bin]) < count)
                darker += window.bins[bin++];
            while (bin > ALIKE && 2 * darker >= count)
                darker -= window.bins[--bin];
            window.bin = bin;
            window.darker = darker;
            uint8_t median = (uint8_t)((bin - ALIKE) * COARSE + COARSE / 2), *at = medians + here;
            if (median >= *at)
                continue;
            int alike = 0;
            for (int near = bin - ALIKE; near <= bin + ALIKE; near++)
                alike += window.bins[near];
            if (alike * 100 >= count * ALIKE_PERCENT)
                *at = median;
        }
    }
}

static int find_grounds(uint8_t *medians, Size small, const uint8_t *samples, const uint8_t *dark)
{
    size_t count = (size_t)(small.width * small.rows);
    uint16_t *around = malloc(count * sizeof *around);
    Samples lying = {samples, small, 1, small.width}, upright = {samples, {small.rows, small.width}, small.width, 1};
    memset(medians, 255, count);
    int failed = around == NULL || count_around(around, dark, small, 2 * FAR + 1, 2 * CLOSE + 1) < 0;
    if (!failed)
        take_medians(medians, around, lying, small.width, 1, FAR, CLOSE);
    failed = failed || count_around(around, dark, small, 2 * CLOSE + 1, 2 * FAR + 1) < 0;
    if (!failed)
        take_medians(medians, around, upright, 1, small.width, FAR, CLOSE);
    free(around);
    return failed ? -1 : 0;
}

/* A sample also is of a ground beside it (within REACH samples) when it differs by at most OF_SAMPLE levels, or when
 * it is lighter and lies in a hole of at most HOLE_ACROSS x HOLE_DOWN samples, a bold letter, and HOLE_PERCENT of its
 * row within ROW_AROUND samples are of that ground. */
enum { OF_SAMPLE = 16, REACH = 2, HOLE_ACROSS = 9, HOLE_DOWN = 7, ROW_AROUND = 8, HOLE_PERCENT = 15 };
enum { GAP_ACROSS = 13, GAP_DOWN = 7 }; /* smaller holes belong to the ground */
/* Blurred bold letters may hide a ground for BAR_ACROSS samples across. A sample is of it when within RIM_REACH rows
 * above and below there is a stretch of the ground of RIM_LENGTH samples or more. Between letters the median is too
 * light: what is up to RIM_DARKER levels darker is of the stretch, too. */
enum { BAR_ACROSS = 41, BAR_DOWN = 5, RIM_LENGTH = 16, RIM_REACH = 4, RIM_DARKER = 40 };

static int has_so_much(const uint8_t *row, ptrdiff_t x, ptrdiff_t width, int ground)
{
    int alike = 0, of = 0;
    for (ptrdiff_t each = x < ROW_AROUND ? 0 : x - ROW_AROUND; each <= x + ROW_AROUND && each < width; each++, of++)
        alike += abs(row[each] - ground) <= OF_SAMPLE;
    return alike * 100 >= of * HOLE_PERCENT;
}

/* Samples ``from`` to before ``to`` of a row are of a ground, perhaps more beyond. */
typedef struct {
    ptrdiff_t from, to;
    int ground;
} Stretch;

static int is_of_rim(int sample, int ground)
{
    return sample <= ground + OF_SAMPLE && sample >= ground - RIM_DARKER;
}

/* Looks up to RIM_LENGTH samples to either side of column ``x``. */
static Stretch stretch_at(const uint8_t *row, ptrdiff_t x, ptrdiff_t width, int ground)
{
    Stretch found = {x, x, ground};
    while (found.to < width && found.to - x < RIM_LENGTH && is_of_rim(row[found.to], ground))
        found.to++;
    while (found.to > x && found.from > 0 && x - found.from < RIM_LENGTH && is_of_rim(row[found.from - 1], ground))
        found.from--;
    return found;
}

/* Whether one of the next ``rows`` rows, up to RIM_REACH away and ``step`` octets apart, has such a stretch at
 * column ``x``. ``found``: the last stretch of each. */
static int has_rim(Stretch found[RIM_REACH + 1], const uint8_t *row, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t x,
                   ptrdiff_t width, int ground)
{
    for (ptrdiff_t each = 0; each <= RIM_REACH && each < rows; each++, row += step) {
        Stretch *of = found + each;
        if (of->ground != ground || x < of->from || x >= of->to)
            *of = stretch_at(row, x, width, ground);
        if (of->to - of->from >= RIM_LENGTH)
            return 1;
    }
    return 0;
}

static int fill_grounds(uint8_t *medians, Size small, const uint8_t *samples)
{
    size_t count = (size_t)(small.width * small.rows);
    uint8_t *beside = malloc(3 * count), *within = beside + count, *bar = within + count;
    int failed = beside == NULL;
    if (!failed) {
        failed = widen_dark(beside, medians, small, 2 * REACH + 1, 2 * REACH + 1) < 0
                 || without_light(within, medians, small, HOLE_ACROSS, HOLE_DOWN) < 0
                 || widen_dark(bar, medians, small, BAR_ACROSS, BAR_DOWN) < 0;
    }
    for (ptrdiff_t y = 0; y < small.rows && !failed; y++) {
        const uint8_t *row = samples + y * small.width;
        Stretch above[RIM_REACH + 1] = {0}, below[RIM_REACH + 1] = {0};
        for (ptrdiff_t x = 0; x < small.width; x++) {
            ptrdiff_t at = y * small.width + x;
            if (medians[at] < GROUND_BELOW || bar[at] >= GROUND_BELOW)
                continue;
            if (beside[at] < GROUND_BELOW && abs(row[x] - beside[at]) <= OF_SAMPLE)
                medians[at] = beside[at];
            else if (beside[at] < GROUND_BELOW && within[at] < row[x]
                     && has_so_much(row, x, small.width, within[at]))
                medians[at] = within[at];
            else if (has_rim(above, row, -small.width, y + 1, x, small.width, bar[at])
                     && has_rim(below, row, small.width, small.rows - y, x, small.width, bar[at]))
                medians[at] = bar[at];
        }
    }
    failed = failed || without_light(medians, medians, small, GAP_ACROSS, GAP_DOWN) < 0;
    free(beside);
    return failed ? -1 : 0;
}

WIDE static int has_ground(const uint8_t *medians, size_t count)
{
    uint8_t some = 0;
    for (size_t at = 0; at < count; at++)
        some |= medians[at] < GROUND_BELOW;
    return some;
}

int find_light_grounds(uint8_t *medians, uint8_t *scratch, Size small, const Band *band)
{
    size_t count = (size_t)(small.width * small.rows);
    uint8_t *dark = scratch, *samples = scratch + count;
    take_samples(samples, dark, small, band);
    if (!any_set(dark, count))
        return 0;
    if (find_grounds(medians, small, samples, dark) < 0)
        return -1;
    if (!has_ground(medians, count))
        return 0;
    return fill_grounds(medians, small, samples) < 0 ? -1 : has_ground(medians, count);
}
