/* Type, lines and all that is drawn: dark on lighter ground, light on darker. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* A pixel is ink when it has this share of the greatest depth within 7 x 7 pixels, in 1/100. */
enum { SHARE = 42, LIGHT_SHARE = 55, NEAR = 7 };
/* And at least this depth: drawn, known to be type, scanned. */
enum { LEAST_DRAWN = 20, LEAST_TYPE = 12, LEAST_SCANNED = 34, MOST_SCANNED = 90, NOISE_TIMES = 6 };
/* In a scan what hangs together with such ink is ink from this share of that depth on, in 1/100. */
enum { WEAK_SHARE = 70 };

static int least_of(const Band *band, int least)
{
    least -= least * band->darker / 150;
    return least < 4 ? 4 : least;
}

static int share_of(const Band *band, int share)
{
    return share - share * band->darker / 200;
}

WIDE static void mark_deep(uint8_t *restrict ink, const uint8_t *restrict depth, const uint8_t *restrict most,
                           size_t octets, int least, int share)
{
    for (size_t at = 0; at < octets; at++)
        ink[at] = (depth[at] >= least) & (depth[at] * 100 >= share * most[at]);
}

/* ink[at] = 1 where ``depth`` is deep enough for itself and for its surroundings.  ``most`` is of use to
 * nobody afterwards. */
static int where_deep(uint8_t *ink, const uint8_t *depth, uint8_t *most, const Band *band, int least, int share)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    memcpy(most, depth, octets);
    if (widen_light(most, band->size, pixels_across(band, NEAR), pixels_down(band, NEAR)) < 0)
        return -1;
    mark_deep(ink, depth, most, octets, least, share);
    return 0;
}

/* -- specks ----------------------------------------------------------------------------------- */

enum { MOST_SPECK = 8 };

void remove_specks(uint8_t *ink, Size size, int most)
{
    for (ptrdiff_t y = 0; y < size.rows; y++)
        for (ptrdiff_t x = 0; x < size.width; x++) {
            const uint8_t *next_ink = memchr(ink + y * size.width + x, 1, (size_t)(size.width - x));
            if (next_ink == NULL)
                break;
            x = next_ink - (ink + y * size.width);
            if ((x > 0 && ink[y * size.width + x - 1]) || (y > 0 && ink[(y - 1) * size.width + x]))
                continue; /* hangs together with what was kept */
            /* All pixels that hang together with this one, as long as they are few. */
            ptrdiff_t at[MOST_SPECK + 1];
            int found = 1;
            at[0] = y * size.width + x;
            for (int next = 0; next < found && found <= most; next++) {
                ptrdiff_t row = at[next] / size.width, column = at[next] % size.width;
                for (ptrdiff_t r = row > 0 ? row - 1 : 0; r <= row + 1 && r < size.rows && found <= most; r++)
                    for (ptrdiff_t c = column > 0 ? column - 1 : 0; c <= column + 1 && c < size.width; c++) {
                        ptrdiff_t other = r * size.width + c;
                        int known = !ink[other];
                        for (int each = 0; each < found && !known; each++)
                            known = at[each] == other;
                        if (!known && found <= most)
                            at[found++] = other;
                    }
            }
            if (found <= most)
                for (int each = 0; each < found; each++)
                    ink[at[each]] = 0;
        }
}

/* -- lines that are only a grid ---------------------------------------------------------------- */

/* Faint lines at least so long, no farther apart than GRID_PITCH (2.6 mm), so many of them that they cover this
 * share of their surroundings, are the grid of millimetre paper: left out, for it would bury the curve.  A table's
 * lines are farther apart. */
enum { FAINTEST = 7, FAINT = 110, GRID_LINE = 41, GRID_AROUND = 61, GRID_PITCH = 21, GRID_PERCENT = 13, GRID_RIM = 3, GRID_THICK = 8, GRID_THICK_SCANNED = 6 };
/* In a scan so are thicker ones that are much longer and cover more, the pattern of stripes of a card, and their
 * pieces between type. */
enum { DARKEST_STRIPE = 160 }; /* what is darker between long light lines is the ground of light type */
enum { STRIPE = 101, STRIPE_PERCENT = 25, STRIPE_PIECE = 21, STRIPE_REACH = 481, STRIPE_WIDE = 13, STRIPE_FLAT = 7, STRIPES_AROUND = 81, STRIPE_RIM = 3 };
/* Pages with less than one pixel in so many on such lines have no grid. */
enum { GRID_LEAST = 50 };

WIDE static size_t mark_faint(uint8_t *restrict lines, const uint8_t *restrict depth, ptrdiff_t width)
{
    uint32_t count = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        lines[x] = (depth[x] >= FAINTEST) & (depth[x] < FAINT);
        count += lines[x];
    }
    return count;
}

WIDE static void take_pale_ink(uint8_t *restrict pale, const uint8_t *faint, const uint8_t *ink, const uint8_t *tone, size_t count)
{
    for (size_t at = 0; at < count; at++)
        pale[at] = faint[at] & ink[at] & (tone[at] >= DARKEST_STRIPE);
}

/* What is dropped is paper from now on: nobody may take the gaps between stripes for light lines. */
WIDE static void drop_faint(uint8_t *restrict ink, uint8_t *restrict tone, const uint8_t *paper, const uint8_t *stripes,
                            const uint8_t *area, const uint8_t *other, const uint8_t *depth, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        uint8_t drop = stripes[at] & area[at] & (other[at] ^ 1) & (depth[at] < FAINT);
        ink[at] &= drop ^ 1;
        tone[at] = drop ? paper[at] : tone[at];
    }
}

WIDE static void drop_lines(uint8_t *restrict ink, const uint8_t *restrict grid, const uint8_t *restrict lines,
                            const uint8_t *restrict depth, size_t count)
{
    for (size_t at = 0; at < count; at++)
        ink[at] &= ((grid[at] & lines[at]) & (depth[at] < FAINT)) ^ 1;
}

/* Only runs of so many pixels, down or across. */
static int only_upright(const Band *band, uint8_t *mask, int upright, int length)
{
    return without_light(mask, band->size, upright ? 1 : pixels_across(band, length), upright ? pixels_down(band, length) : 1);
}

/* ``dense`` is 1 where ``mask`` covers so much of the surroundings. */
static int where_dense(const Band *band, uint8_t *dense, const uint8_t *mask, uint16_t *around, int window)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    int across = pixels_across(band, window), down = pixels_down(band, window);
    if (count_around(around, mask, band->size, across, down) < 0)
        return -1;
    for (size_t at = 0; at < octets; at++)
        dense[at] = around[at] * 100 > across * down * STRIPE_PERCENT;
    return 0;
}

/* ``faint`` is what may be a piece of a pattern; there is one where long stripes of it are ink.  ``around`` and
 * ``area`` are scratch. */
static int drop_stripes(const Band *band, uint8_t *ink, const uint8_t *depth, const uint8_t *faint, uint16_t *around,
                        uint8_t *area)
{
    Size size = band->size;
    size_t octets = (size_t)(size.width * size.rows);
    uint8_t *stripes = malloc(4 * octets), *dense = stripes + octets, *crossing = dense + octets, *blobs = crossing + octets;
    int failed = stripes == NULL;
    for (int upright = 0; upright < 2 && !failed; upright++) {
        take_pale_ink(stripes, faint, ink, band->under_tone, octets);
        failed = only_upright(band, stripes, upright, STRIPE) < 0;
        if (failed || !any_set(stripes, octets))
            continue;
        failed = where_dense(band, area, stripes, around, STRIPES_AROUND) < 0;
        if (failed || !any_set(area, octets))
            continue;
        memcpy(stripes, faint, octets);
        memcpy(crossing, faint, octets);
        memcpy(blobs, faint, octets);
        failed = widen_light(area, size, pixels_across(band, STRIPE_REACH), pixels_down(band, STRIPE_REACH)) < 0
                 || only_upright(band, stripes, upright, STRIPE_PIECE) < 0
                 || only_upright(band, crossing, !upright, STRIPE) < 0
                 || without_light(blobs, size, pixels_across(band, upright ? STRIPE_WIDE : STRIPE_FLAT), pixels_down(band, upright ? STRIPE_FLAT : STRIPE_WIDE)) < 0
                 || where_dense(band, dense, stripes, around, GRID_AROUND) < 0
                 || widen_light(dense, size, pixels_across(band, GRID_AROUND / 2), pixels_down(band, GRID_AROUND / 2)) < 0
                 || widen_light(stripes, size, STRIPE_RIM, STRIPE_RIM) < 0;
        for (size_t at = 0; at < octets; at++) {
            area[at] &= dense[at];
            crossing[at] |= blobs[at];
        }
        if (!failed)
            drop_faint(ink, band->under_tone, band->closed, stripes, area, crossing, depth, octets);
    }
    free(stripes);
    return failed ? -1 : 0;
}

static int drop_grid(const Band *band, uint8_t *ink, const uint8_t *depth, uint8_t *lines)
{
    size_t octets = (size_t)(band->size.width * band->size.rows), count = 0;
    for (ptrdiff_t y = 0; y < band->size.rows; y++)
        count += mark_faint(lines + y * band->size.width, depth + y * band->size.width, band->size.width);
    if (count * GRID_LEAST < octets)
        return 0;
    uint16_t *around = malloc(octets * sizeof *around);
    uint8_t *grid = malloc(octets);
    if (around == NULL || grid == NULL) {
        free(around);
        free(grid);
        return -1;
    }
    int thick = band->ground->scanned ? GRID_THICK_SCANNED : GRID_THICK;
    int failed = band->ground->scanned && drop_stripes(band, ink, depth, lines, around, grid) < 0;
    memcpy(grid, lines, octets); /* what is thicker than a line of a grid is blurred type */
    if (failed
        || without_light(grid, band->size, pixels_across(band, thick), pixels_down(band, thick)) < 0
        || only_runs(lines, band->size, pixels_across(band, GRID_LINE), pixels_down(band, GRID_LINE)) < 0) {
        free(around);
        free(grid);
        return -1;
    }
    for (size_t at = 0; at < octets; at++)
        lines[at] &= (uint8_t)!grid[at];
    int across = pixels_across(band, GRID_AROUND), down = pixels_down(band, GRID_AROUND);
    memcpy(grid, lines, octets);
    failed = without_dark(grid, band->size, pixels_across(band, GRID_PITCH), pixels_down(band, GRID_PITCH)) < 0
             || without_light(grid, band->size, pixels_across(band, GRID_LINE), pixels_down(band, GRID_LINE)) < 0;
    int some = !failed && any_set(grid, octets);
    if (some)
        failed = count_around(around, lines, band->size, across, down) < 0
                 || widen_light(lines, band->size, GRID_RIM, GRID_RIM) < 0;
    if (some && !failed) {
        for (size_t at = 0; at < octets; at++)
            grid[at] &= around[at] * 100 > across * down * GRID_PERCENT;
        failed = without_dark(grid, band->size, across, down) < 0; /* under the curve as well */
    }
    if (some && !failed)
        drop_lines(ink, grid, lines, depth, octets);
    free(around);
    free(grid);
    return failed ? -1 : 0;
}

/* -- corners of areas --------------------------------------------------------------------------- */

/* The corner of a slanting area is narrower than a stroke, but of the area's grey. */
enum { PALE_AREA = 115, LIKE_AREA = 12, WHITE_AREA = 240 };

WIDE static size_t drop_like(uint8_t *restrict ink, const uint8_t *restrict grey, const uint8_t *restrict area,
                             ptrdiff_t width)
{
    uint32_t dropped = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t differ = grey[x] > area[x] ? grey[x] - area[x] : area[x] - grey[x];
        uint8_t drop = ink[x] & (area[x] >= PALE_AREA) & (area[x] < WHITE_AREA) & (differ <= LIKE_AREA);
        ink[x] ^= drop;
        dropped += drop;
    }
    return dropped;
}

static int drop_corners(const Band *band, uint8_t *ink, const uint8_t *grey, uint8_t *area)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    int across = pixels_across(band, STROKE), down = pixels_down(band, STROKE), failed;
    memcpy(area, band->closed, octets);
    size_t dropped = 0;
    failed = widen_dark(area, band->size, across, down) < 0;
    for (ptrdiff_t y = 0; !failed && y < band->size.rows; y++) {
        ptrdiff_t at = y * band->size.width;
        dropped += drop_like(ink + at, grey + at, area + at, band->size.width);
    }
    if (dropped) /* their rims */
        remove_specks(ink, band->size, band->dark_type != NULL ? MOST_SPECK : MOST_SPECK / 2);
    return failed ? -1 : 0;
}

/* Where there is more noise, depths count less. */
static void measure_in_noise(const Band *band, uint8_t *depth)
{
    for (ptrdiff_t y = 0; y < band->size.rows; y++)
        for (ptrdiff_t x = 0; x < band->size.width; x += TILE) {
            int least = least_depth(band, x, y, NOISE_TIMES);
            least = least > MOST_SCANNED ? MOST_SCANNED : least;
            uint16_t scale = least > LEAST_SCANNED ? (uint16_t)(LEAST_SCANNED * 256 / least) : 256;
            uint8_t *at = depth + y * band->size.width + x;
            ptrdiff_t count = band->size.width - x < TILE ? band->size.width - x : TILE;
            for (ptrdiff_t each = 0; each < count && scale != 256; each++)
                at[each] = (uint8_t)(at[each] * scale >> 8);
        }
}

WIDE static void mark_certain(uint8_t *restrict certain, const uint8_t *restrict ink, const uint8_t *restrict depth,
                              int least, size_t octets)
{
    uint8_t from = (uint8_t)least;
    for (size_t at = 0; at < octets; at++)
        certain[at] = ink[at] & (depth[at] >= from);
}

/* ``depth`` is the closing of ``grey``.  On a ground like magenta grey says little and luma much. */
WIDE static void take_depth(uint8_t *restrict depth, const uint8_t *grey, const uint8_t *closed, const uint8_t *tone, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        uint8_t of_grey = depth[at] - grey[at], of_tone = closed[at] - tone[at];
        depth[at] = of_tone > 2 * of_grey ? of_tone : of_grey;
    }
}

int find_ink(const Band *band, uint8_t *ink)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    const uint8_t *grey = band->ground->scanned || band->ground->raster ? band->under_type : band->under_tone;
    uint8_t *depth = malloc(octets), *scratch = malloc(octets);
    int failed = depth == NULL || scratch == NULL;
    if (!failed) {
        if (grey == band->under_tone)
            memcpy(depth, band->closed, octets);
        else {
            memcpy(depth, grey, octets);
            failed = without_dark(depth, band->size, pixels_across(band, STROKE), pixels_down(band, STROKE)) < 0;
        }
        take_depth(depth, grey, band->closed, band->under_tone, octets);
        int least = band->ground->scanned ? LEAST_SCANNED : LEAST_DRAWN;
        if (band->ground->scanned)
            measure_in_noise(band, depth);
        least = least_of(band, least);
        int weak = band->ground->scanned ? least * WEAK_SHARE / 100 : least;
        failed = failed || where_deep(ink, depth, scratch, band, weak, share_of(band, SHARE)) < 0;
        if (!failed && weak < least) {
            mark_certain(scratch, ink, depth, least, octets);
            for (int round = 0; round < 2; round++) {
                sweep(scratch, ink, band->size, 0);
                sweep(scratch, ink, band->size, 1);
            }
            memcpy(ink, scratch, octets);
        }
        failed = failed
                 || drop_grid(band, ink, depth, scratch) < 0
                 || (!band->ground->raster && !band->ground->scanned && drop_corners(band, ink, band->under_tone, scratch) < 0);
    }
    free(depth);
    free(scratch);
    return failed ? -1 : 0;
}

int find_type(const Band *band, uint8_t *dark, uint8_t *light)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    uint8_t *scratch = malloc(octets);
    int least = least_of(band, LEAST_TYPE);
    int failed = scratch == NULL
                 || where_deep(dark, band->dark_type, scratch, band, least, share_of(band, SHARE)) < 0;
    if (!failed && any_set(band->light_type, octets))
        failed = where_deep(light, band->light_type, scratch, band, least, LIGHT_SHARE) < 0;
    else
        memset(light, 0, octets);
    free(scratch);
    return failed ? -1 : 0;
}

/* -- light type in pictures, where nobody says what is type ------------------------------------ */

/* Much lighter than most of its surroundings, no long line, and more of it around than dark ink. */
enum { LIGHTER = 38, LONGEST_LINE = 48, LIGHT_AROUND = 41, GROUND_BELOW = 236, WHITE_PAPER = 225, FEWEST = 8, LINE_RIM = 5 };
/* Between light letters the ground looks like ink: it is lifted by so much there, and is of its own grey.  Beside
 * them so does the noise of a scan. */
enum { LIFTED = 20, OF_GROUND = 14, SURELY_DARKER = 60, NOISE_DARKER = 40 };
/* What most of the surroundings are is the median of every fourth pixel, of so many such across and down,
 * and the other way round: a bar of a table is no higher than two lines of type.  The darker one counts, if
 * so much is of about its grey, in steps of 4 levels: that is a tint, and small blurred type is not. */
enum { EVERY = 4, FAR = 8, CLOSE = 2, COARSE = 4, ALIKE = 4, ALIKE_PERCENT = 48 };

/* Of a column of every fourth pixel. */
static void count_column(uint16_t *histogram, int16_t *below_median, int median, const uint8_t *grey, ptrdiff_t step,
                         ptrdiff_t rows, int by)
{
    for (ptrdiff_t row = 0; row < rows; row++, grey += step) {
        int bin = *grey / COARSE;
        histogram[bin] = (uint16_t)(histogram[bin] + by);
        *below_median = (int16_t)(*below_median + (bin < median ? by : 0));
    }
}

/* Huang's sliding histogram.  ``medians`` has a row for every fourth row, an octet for every fourth pixel; ``dark``
 * says so how much of the surroundings is below GROUND_BELOW: where that is the smaller part, nothing is looked for. */
static void take_medians(uint8_t *medians, const uint16_t *dark, Size small, const uint8_t *grey, Size size, int across, int down)
{
    ptrdiff_t step = EVERY * size.width;
    for (ptrdiff_t y = 0; y < small.rows; y++) {
        ptrdiff_t top = y < down ? 0 : y - down, below = y + down < small.rows ? y + down + 1 : small.rows;
        const uint8_t *columns = grey + top * step;
        uint16_t histogram[256 / COARSE] = {0};
        int count = 0, bin = 0; /* the median's */
        int16_t darker = 0;     /* pixels below it */
        ptrdiff_t taken = 0, begun = 0; /* columns in the histogram: from ``begun`` to before ``taken`` */
        for (ptrdiff_t x = 0; x < small.width; x++) {
            ptrdiff_t from = x < across ? 0 : x - across, to = x + across < small.width ? x + across + 1 : small.width;
            if (2 * dark[y * small.width + x] < (to - from) * (below - top))
                continue;
            if (from >= taken) { /* nothing of it is in these surroundings */
                memset(histogram, 0, sizeof histogram);
                count = 0;
                darker = 0;
                begun = taken = from;
            }
            for (; taken < to; taken++) {
                count_column(histogram, &darker, bin, columns + taken * EVERY, step, below - top, 1);
                count += (int)(below - top);
            }
            for (; begun < from; begun++) {
                count_column(histogram, &darker, bin, columns + begun * EVERY, step, below - top, -1);
                count -= (int)(below - top);
            }
            while (bin < 256 / COARSE - 1 && 2 * (darker + histogram[bin]) < count)
                darker = (int16_t)(darker + histogram[bin++]);
            while (bin > 0 && 2 * darker >= count)
                darker = (int16_t)(darker - histogram[--bin]);
            uint8_t median = (uint8_t)(bin * COARSE + COARSE / 2), *at = medians + y * small.width + x;
            if (median >= *at)
                continue;
            int alike = 0;
            for (int near = bin < ALIKE ? 0 : bin - ALIKE; near <= bin + ALIKE && near < 256 / COARSE; near++)
                alike += histogram[near];
            if (alike * 100 >= count * ALIKE_PERCENT)
                *at = median;
        }
    }
}

/* Of every fourth pixel of every fourth row. */
static int find_grounds(uint8_t *medians, Size small, const uint8_t *grey, Size size)
{
    size_t count = (size_t)(small.width * small.rows);
    uint8_t *dark = malloc(count);
    uint16_t *around = malloc(count * sizeof *around);
    int failed = dark == NULL || around == NULL;
    memset(medians, 255, count);
    if (!failed)
        for (ptrdiff_t y = 0; y < small.rows; y++)
            for (ptrdiff_t x = 0; x < small.width; x++)
                dark[y * small.width + x] = grey[EVERY * (y * size.width + x)] < GROUND_BELOW;
    for (int upright = 0; upright < 2 && !failed && any_set(dark, count); upright++) {
        int across = upright ? CLOSE : FAR, down = upright ? FAR : CLOSE;
        failed = count_around(around, dark, small, 2 * across + 1, 2 * down + 1) < 0;
        if (!failed)
            take_medians(medians, around, small, grey, size, across, down);
    }
    free(dark);
    free(around);
    return failed ? -1 : 0;
}

/* Of a ground is also what is of about its grey beside it, and what stands within it and has so much of it at both
 * sides: bold letters in it.  In samples, in 1/100. */
enum { OF_SAMPLE = 16, REACH = 2, HOLE_ACROSS = 9, HOLE_DOWN = 7, ROW_AROUND = 8, HOLE_PERCENT = 15 };
enum { GAP_ACROSS = 5, GAP_DOWN = 3 }; /* smaller holes are none */

static int has_so_much(const uint8_t *row, ptrdiff_t x, ptrdiff_t width, int ground)
{
    int alike = 0, of = 0;
    for (ptrdiff_t each = x < ROW_AROUND ? 0 : x - ROW_AROUND; each <= x + ROW_AROUND && each * EVERY < width; each++, of++)
        alike += abs(row[each * EVERY] - ground) <= OF_SAMPLE;
    return alike * 100 >= of * HOLE_PERCENT;
}

static int fill_grounds(uint8_t *medians, Size small, const uint8_t *grey, Size size)
{
    size_t count = (size_t)(small.width * small.rows);
    uint8_t *beside = malloc(2 * count), *within = beside + count;
    int failed = beside == NULL;
    if (!failed) {
        memcpy(beside, medians, count);
        memcpy(within, medians, count);
        failed = widen_dark(beside, small, 2 * REACH + 1, 2 * REACH + 1) < 0
                 || without_light(within, small, HOLE_ACROSS, HOLE_DOWN) < 0;
    }
    for (ptrdiff_t y = 0; y < small.rows && !failed; y++)
        for (ptrdiff_t x = 0; x < small.width; x++) {
            const uint8_t *row = grey + EVERY * y * size.width;
            ptrdiff_t at = y * small.width + x;
            if (medians[at] < GROUND_BELOW || beside[at] >= GROUND_BELOW)
                continue;
            if (abs(row[EVERY * x] - beside[at]) <= OF_SAMPLE)
                medians[at] = beside[at];
            else if (within[at] < GROUND_BELOW && has_so_much(row, x, size.width, within[at]))
                medians[at] = within[at];
        }
    failed = failed || without_light(medians, small, GAP_ACROSS, GAP_DOWN) < 0;
    free(beside);
    return failed ? -1 : 0;
}

/* Where a ground shows itself: a patch of nothing but it, wider than a stroke of small type, within reach. */
enum { PATCH = 9, PATCH_REACH = 61 };

WIDE static void mark_solid(uint8_t *restrict solid, const uint8_t *restrict grounds, size_t octets)
{
    for (size_t at = 0; at < octets; at++) {
        uint8_t ground = grounds[at], above = solid[at] > ground ? solid[at] - ground : 0;
        solid[at] = (ground < GROUND_BELOW) & (above <= OF_GROUND);
    }
}

static int near_solid(const Band *band, uint8_t *solid, const uint8_t *grounds)
{
    Size size = band->size;
    memcpy(solid, band->under_tone, (size_t)(size.width * size.rows));
    if (widen_light(solid, size, pixels_across(band, PATCH), pixels_down(band, PATCH)) < 0)
        return -1;
    mark_solid(solid, grounds, (size_t)(size.width * size.rows));
    return widen_light(solid, size, pixels_across(band, PATCH_REACH), pixels_down(band, PATCH_REACH));
}

WIDE static void mark_light(uint8_t *restrict light, uint8_t *restrict height, const uint8_t *grey, const uint8_t *grounds,
                            const uint8_t *photo, size_t octets)
{
    for (size_t at = 0; at < octets; at++) {
        uint8_t above = grey[at] > grounds[at] ? grey[at] - grounds[at] : 0;
        height[at] = (grounds[at] < GROUND_BELOW) & (photo[at] == 0) ? above : 0;
        light[at] = height[at] > LIGHTER;
    }
}

/* Paper between two bars is a long line even where no ground was found around it. */
WIDE static void mark_white(uint8_t *restrict white, const uint8_t *light, const uint8_t *grey, size_t octets)
{
    for (size_t at = 0; at < octets; at++)
        white[at] = light[at] | (grey[at] >= WHITE_PAPER);
}

WIDE static void keep(uint8_t *restrict marked, const uint8_t *restrict also, size_t octets)
{
    for (size_t at = 0; at < octets; at++)
        marked[at] &= also[at];
}

/* ``light`` is no long line; the second bit of ``ink`` is what may be ground between light letters, ``lines``
 * is what surely is ink. */
WIDE static void part_ink(uint8_t *restrict light, uint8_t *restrict lines, uint8_t *restrict ink, const uint8_t *solid,
                          const uint8_t *grounds, const uint8_t *closed, const uint8_t *grey, int noise, size_t octets)
{
    uint8_t noise_darker = (uint8_t)noise;
    for (size_t at = 0; at < octets; at++) {
        uint8_t lifted = closed[at] > grounds[at] ? closed[at] - grounds[at] : 0;
        uint8_t darker = grounds[at] > grey[at] ? grounds[at] - grey[at] : 0;
        uint8_t may = solid[at] & (((lifted > LIFTED) & (darker <= SURELY_DARKER)) | (darker < noise_darker));
        light[at] &= lines[at] == 0;
        ink[at] |= (uint8_t)(may << 1);
        lines[at] = ink[at] == 1;
    }
}

WIDE static void decide_light(uint8_t *restrict light, uint8_t *restrict ink, uint8_t *restrict level, const uint8_t *grounds,
                              const uint16_t *bright, const uint16_t *black, size_t octets)
{
    for (size_t at = 0; at < octets; at++) {
        uint8_t is_light = (bright[at] > FEWEST) & (2 * bright[at] > 3 * black[at]);
        uint8_t ground = (ink[at] >> 1) & is_light;
        light[at] &= is_light;
        level[at] = ground ? grounds[at] : level[at];
        ink[at] = ground ? 0 : ink[at] & 1;
    }
}

/* Each octet EVERY times. */
static void repeat_each(uint8_t *row, const uint8_t *small, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x + EVERY <= width; x += EVERY)
        memset(row + x, small[x / EVERY], EVERY);
    if (width % EVERY)
        memset(row + width / EVERY * EVERY, small[width / EVERY], (size_t)(width % EVERY));
}

WIDE static int has_ground(const uint8_t *medians, size_t count)
{
    uint8_t some = 0;
    for (size_t at = 0; at < count; at++)
        some |= medians[at] < GROUND_BELOW;
    return some;
}

int find_light_type(const Band *band, uint8_t *light, uint8_t *ink, uint8_t *level)
{
    Size size = band->size, small = {(size.width + EVERY - 1) / EVERY, (size.rows + EVERY - 1) / EVERY};
    size_t octets = (size_t)(size.width * size.rows);
    uint8_t *lines = malloc(octets), *height = malloc(octets), *solid = malloc(octets), *grounds = malloc(octets);
    uint8_t *medians = malloc((size_t)(small.width * small.rows));
    uint16_t *bright = malloc(octets * sizeof *bright), *black = malloc(octets * sizeof *black);
    int across = pixels_across(band, LIGHT_AROUND), down = pixels_down(band, LIGHT_AROUND);
    int failed = lines == NULL || height == NULL || solid == NULL || grounds == NULL || medians == NULL
                 || bright == NULL || black == NULL;
    const uint8_t *grey = band->under_tone;
    if (!failed) {
        failed = find_grounds(medians, small, grey, size) < 0
                 || (has_ground(medians, (size_t)(small.width * small.rows)) && fill_grounds(medians, small, grey, size) < 0);
        if (!failed && !has_ground(medians, (size_t)(small.width * small.rows))) {
            memset(light, 0, octets);
            goto done;
        }
        for (ptrdiff_t y = 0; y < size.rows; y++) {
            uint8_t *row = grounds + y * size.width;
            if (y % EVERY)
                memcpy(row, row - size.width, (size_t)size.width);
            else
                repeat_each(row, medians + y / EVERY * small.width, size.width);
        }
        mark_light(light, height, grey, grounds, band->photo, octets);
        if (!failed && any_set(light, octets)) {
            failed = near_solid(band, solid, grounds) < 0;
            keep(light, solid, octets);
            if (!any_set(light, octets))
                goto done;
            mark_white(lines, light, grey, octets);
            failed = failed || only_runs(lines, size, pixels_across(band, LONGEST_LINE), pixels_down(band, LONGEST_LINE)) < 0;
            /* A ground begins within a sample. */
            failed = failed || widen_dark(grounds, size, 2 * EVERY + 1, 2 * EVERY + 1) < 0;
            failed = failed || widen_light(lines, size, LINE_RIM, LINE_RIM) < 0;
            part_ink(light, lines, ink, solid, grounds, band->closed, grey,
                     band->ground->scanned ? NOISE_DARKER : 0, octets);
            failed = failed || count_around(bright, light, size, across, down) < 0
                     || count_around(black, lines, size, across, down) < 0
                     || where_deep(light, height, lines, band, LIGHTER / 2, LIGHT_SHARE) < 0;
            if (!failed)
                decide_light(light, ink, level, grounds, bright, black, octets);
        }
    }
done:
    free(lines);
    free(height);
    free(solid);
    free(grounds);
    free(medians);
    free(bright);
    free(black);
    return failed ? -1 : 0;
}
