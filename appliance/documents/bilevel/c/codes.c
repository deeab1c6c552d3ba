/* Finds machine-readable codes (QR, Data Matrix, bar codes) in rasters. Within a code every pixel that is closer to
 * its ink than to its paper becomes black; it is not treated as type, tint or light type. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* The search works on cells of CELL x CELL pixels. A cell is judged by the AROUND x AROUND cells about it: 5 mm, the
 * smallest code. */
enum { CELL = 4, AROUND = 11 };
/* In these surroundings a code has: LEAST_CONTRAST levels between ink and paper, paper of at least level
 * LIGHT_PAPER, and, in percent: LEAST_INK to MOST_INK ink, LEAST_STEPPED of cells at or beside a step between ink
 * and paper, and at most MOST_GREY of cells that are evenly grey. */
enum { LEAST_CONTRAST = 110, LIGHT_PAPER = 150, LEAST_INK = 34, MOST_INK = 75, LEAST_STEPPED = 45, MOST_GREY = 12 };
/* Cells that qualify are a code where they fill a square of FILLED cells. It is then grown by REACH / 2 cells, since
 * most of the surroundings of its corners is paper. Beyond EDGE / 2 cells there may be type as well, such as the number
 * below a bar code: ink that was found there stays. */
enum { FILLED = 9, REACH = 21, EDGE = 3 };

/* Cells within BAR_NEAR / 2 cells of a solid horizontal run of BAR_LENGTH cells, two cells high, belong to a bar
 * with light type. 20 mm is longer than the solid side of a usual Data Matrix. A cell is solid from SOLID_PERCENT
 * ink. A code that is grown keeps out of bars, BAR_EDGE / 2 cells around included. */
enum { BAR_LENGTH = 41, BAR_NEAR = 15, BAR_EDGE = 5, SOLID_PERCENT = 75 };

typedef struct {
    const uint8_t *plane; /* what they are made from */
    Size size;            /* in cells */
    int across, down; /* pixels of a cell */
    uint8_t *least, *most, *ink_level, *paper_level, *ink, *stepped, *grey, *code, *inner;
    uint16_t *counts;
} Cells;

static int take_cells(Cells *cells, const Band *band)
{
    cells->plane = band->under_tone;
    cells->across = (CELL * band->ground->x_dpi + 102) / 204;
    cells->down = (CELL * band->ground->y_dpi + 98) / 196;
    cells->across = cells->across < 1 ? 1 : cells->across;
    cells->down = cells->down < 1 ? 1 : cells->down;
    cells->size = (Size){(band->size.width + cells->across - 1) / cells->across,
                         (band->size.rows + cells->down - 1) / cells->down};
    size_t count = (size_t)(cells->size.width * cells->size.rows);
    uint8_t *planes = malloc(9 * count);
    cells->counts = malloc(count * sizeof *cells->counts);
    uint8_t **each[] = {&cells->least, &cells->most, &cells->ink_level, &cells->paper_level,
                        &cells->ink, &cells->stepped, &cells->grey, &cells->code, &cells->inner};
    for (size_t at = 0; at < 9; at++)
        *each[at] = planes == NULL ? NULL : planes + at * count;
    return planes == NULL || cells->counts == NULL ? -1 : 0;
}

static void free_cells(Cells *cells)
{
    free(cells->least);
    free(cells->counts);
}

WIDE static void take_row_extremes(uint8_t *restrict least, uint8_t *restrict most, const uint8_t *restrict row,
                                   ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        least[x] = row[x] < least[x] ? row[x] : least[x];
        most[x] = row[x] > most[x] ? row[x] : most[x];
    }
}

/* Darkest and lightest level of each of ``count`` cells from those of its columns; unrolled for the usual cell
 * width. */
WIDE static void join_extremes(uint8_t *restrict low, uint8_t *restrict high, const uint8_t *restrict least,
                               const uint8_t *restrict most, ptrdiff_t count, int across)
{
    for (ptrdiff_t cell = 0; cell < count && across == CELL; cell++) {
        const uint8_t *dark = least + CELL * cell, *light = most + CELL * cell;
        uint8_t left = dark[0] < dark[1] ? dark[0] : dark[1], right = dark[2] < dark[3] ? dark[2] : dark[3];
        low[cell] = left < right ? left : right;
        left = light[0] > light[1] ? light[0] : light[1];
        right = light[2] > light[3] ? light[2] : light[3];
        high[cell] = left > right ? left : right;
    }
    for (ptrdiff_t cell = 0; cell < count && across != CELL; cell++) {
        low[cell] = 255;
        high[cell] = 0;
        for (ptrdiff_t x = cell * across; x < (cell + 1) * across; x++) {
            low[cell] = least[x] < low[cell] ? least[x] : low[cell];
            high[cell] = most[x] > high[cell] ? most[x] : high[cell];
        }
    }
}

WIDE static void join_counts(uint8_t *restrict sums, const uint8_t *restrict counts, ptrdiff_t count, int across)
{
    for (ptrdiff_t cell = 0; cell < count && across == CELL; cell++)
        sums[cell] = (uint8_t)(counts[CELL * cell] + counts[CELL * cell + 1] + counts[CELL * cell + 2]
                               + counts[CELL * cell + 3]);
    for (ptrdiff_t cell = 0; cell < count && across != CELL; cell++) {
        sums[cell] = 0;
        for (ptrdiff_t x = cell * across; x < (cell + 1) * across; x++)
            sums[cell] = (uint8_t)(sums[cell] + counts[x]);
    }
}

/* Fills ``least`` and ``most`` of each cell, first down its columns, then across. ``lines`` is scratch, two rows of
 * whole cells; columns beyond the edge count as no pixels. */
static void take_extremes(const Cells *cells, const Band *band, uint8_t *lines)
{
    ptrdiff_t width = band->size.width, whole = cells->size.width * cells->across;
    uint8_t *least = lines, *most = lines + whole;
    for (ptrdiff_t row = 0; row < cells->size.rows; row++) {
        ptrdiff_t top = row * cells->down;
        ptrdiff_t below = top + cells->down < band->size.rows ? top + cells->down : band->size.rows;
        memset(least, 255, (size_t)whole);
        memset(most, 0, (size_t)whole);
        for (ptrdiff_t y = top; y < below; y++)
            take_row_extremes(least, most, cells->plane + y * width, width);
        join_extremes(cells->least + row * cells->size.width, cells->most + row * cells->size.width, least, most,
                      cells->size.width, cells->across);
    }
}

/* Where ink ends, in percent of the contrast: paper is overrated more than ink, as most of it is near ink. */
enum { INK_PERCENT = 47 };

static int contrast_of(const Cells *cells, ptrdiff_t cell)
{
    return cells->paper_level[cell] - cells->ink_level[cell];
}

static int middle_of(const Cells *cells, ptrdiff_t cell)
{
    return cells->ink_level[cell] + contrast_of(cells, cell) * INK_PERCENT / 100;
}

WIDE static void mark_contrast(uint8_t *restrict code, const uint8_t *restrict ink, const uint8_t *restrict paper,
                               size_t count)
{
    for (size_t cell = 0; cell < count; cell++)
        code[cell] = (paper[cell] >= LIGHT_PAPER) & (paper[cell] - ink[cell] >= LEAST_CONTRAST);
}

/* Marks cells with a step between ink and paper, and those that are evenly grey. */
WIDE static void mark_steps(const Cells *cells, size_t count)
{
    uint8_t *restrict stepped = cells->stepped, *restrict grey = cells->grey;
    const uint8_t *restrict least = cells->least, *restrict most = cells->most;
    const uint8_t *restrict ink = cells->ink_level, *restrict paper = cells->paper_level;
    for (size_t cell = 0; cell < count; cell++) {
        int16_t contrast = paper[cell] - ink[cell], range = most[cell] - least[cell];
        stepped[cell] = (contrast >= LEAST_CONTRAST) & (2 * range >= contrast);
        grey[cell] = (4 * range < contrast) & (least[cell] > ink[cell] + contrast / 4)
                     & (most[cell] < paper[cell] - contrast / 4);
    }
}

WIDE static void keep_counts(uint8_t *restrict code, const uint16_t *restrict counts, uint16_t least, uint16_t most,
                             size_t count)
{
    for (size_t cell = 0; cell < count; cell++)
        code[cell] &= (counts[cell] >= least) & (counts[cell] <= most);
}

WIDE static void count_darker(uint8_t *restrict counts, const uint8_t *restrict row, const uint8_t *restrict middles,
                              ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        counts[x] = (uint8_t)(counts[x] + (row[x] < middles[x]));
}

/* Counts the pixels of each cell darker than the middle between ink and paper. */
static void count_ink(const Cells *cells, const Band *band, uint8_t *lines)
{
    ptrdiff_t width = band->size.width, whole = cells->size.width * cells->across;
    uint8_t *counts = lines, *middles = lines + whole;
    for (ptrdiff_t row = 0; row < cells->size.rows; row++) {
        ptrdiff_t top = row * cells->down;
        ptrdiff_t below = top + cells->down < band->size.rows ? top + cells->down : band->size.rows;
        ptrdiff_t first = row * cells->size.width;
        memset(counts, 0, (size_t)whole);
        for (ptrdiff_t cell = 0; cell < cells->size.width; cell++)
            memset(middles + cell * cells->across, middle_of(cells, first + cell), (size_t)cells->across);
        for (ptrdiff_t y = top; y < below; y++)
            count_darker(counts, band->under_tone + y * width, middles, width);
        join_counts(cells->ink + first, counts, cells->size.width, cells->across);
    }
}

/* Removes cells within ``near`` / 2 cells of bars from ``code``. ``bar`` is scratch. */
static int leave_out_bars(const Cells *cells, uint8_t *bar, int near)
{
    Size size = cells->size;
    ptrdiff_t count = size.width * size.rows;
    int solid = cells->across * cells->down * SOLID_PERCENT / 100;
    memset(bar, 0, (size_t)count);
    for (ptrdiff_t cell = 0; cell + size.width < count; cell++)
        bar[cell] = contrast_of(cells, cell) >= LEAST_CONTRAST && cells->ink[cell] >= solid
                    && cells->ink[cell + size.width] >= solid;
    if (without_light(bar, bar, size, BAR_LENGTH, 1) < 0 || widen_light(bar, bar, size, near, near) < 0)
        return -1;
    for (ptrdiff_t cell = 0; cell < count; cell++)
        cells->code[cell] &= !bar[cell];
    return 0;
}

/* Keeps ``code`` only where the mean of ``counted`` over the surroundings is ``least`` to ``most`` percent of
 * ``full``. */
static int keep_where(const Cells *cells, const uint8_t *counted, int full, int least, int most)
{
    if (count_around(cells->counts, counted, cells->size, AROUND, AROUND) < 0)
        return -1;
    int whole = full * AROUND * AROUND;
    keep_counts(cells->code, cells->counts, (uint16_t)((least * whole + 99) / 100), (uint16_t)(most * whole / 100),
                (size_t)(cells->size.width * cells->size.rows));
    return 0;
}

/* The levels of ink and paper within ``around`` cells. ``lines`` is scratch, two rows of whole cells. */
static int take_ink_and_paper(const Cells *cells, const Band *band, uint8_t *lines, int around)
{
    take_extremes(cells, band, lines);
    return widen_dark(cells->ink_level, cells->least, cells->size, around, around) < 0
                   || widen_light(cells->paper_level, cells->most, cells->size, around, around) < 0
               ? -1
               : 0;
}

static int find_cells(const Cells *cells, const Band *band, uint8_t *lines)
{
    Size size = cells->size;
    size_t count = (size_t)(size.width * size.rows);
    if (take_ink_and_paper(cells, band, lines, AROUND) < 0)
        return -1;
    mark_contrast(cells->code, cells->ink_level, cells->paper_level, count);
    if (!any_set(cells->code, count))
        return 0;
    count_ink(cells, band, lines);
    if (keep_where(cells, cells->ink, cells->across * cells->down, LEAST_INK, MOST_INK) < 0)
        return -1;
    if (!any_set(cells->code, count))
        return 0;
    if (leave_out_bars(cells, cells->grey, BAR_NEAR) < 0)
        return -1;
    mark_steps(cells, count);
    if (widen_light(cells->stepped, cells->stepped, size, 3, 3) < 0
        || keep_where(cells, cells->stepped, 1, LEAST_STEPPED, 100) < 0
        || keep_where(cells, cells->grey, 1, 0, MOST_GREY) < 0)
        return -1;
    return without_dark(cells->code, cells->code, size, FILLED, FILLED) < 0
           || without_light(cells->code, cells->code, size, FILLED, FILLED) < 0
                   || widen_light(cells->inner, cells->code, size, EDGE, EDGE) < 0
                   || widen_light(cells->code, cells->code, size, REACH, REACH) < 0
                   || leave_out_bars(cells, cells->grey, BAR_EDGE) < 0
               ? -1
               : 0;
}

static int any_code(const Cells *cells)
{
    return any_set(cells->code, (size_t)(cells->size.width * cells->size.rows));
}

/* Writes the pixels of one row of cells that belong to codes into ``codes`` and ``ink``; about the inner cells, ink
 * is added only. */
static void take_module_row(const Cells *cells, const Band *band, ptrdiff_t row, const Mask *codes, const Mask *ink)
{
    Size size = band->size;
    ptrdiff_t top = row * cells->down, below = top + cells->down < size.rows ? top + cells->down : size.rows;
    for (ptrdiff_t x = 0, cell = row * cells->size.width; x < size.width; x += cells->across, cell++) {
        if (!cells->code[cell])
            continue;
        ptrdiff_t end = x + cells->across < size.width ? x + cells->across : size.width;
        int middle = middle_of(cells, cell);
        for (ptrdiff_t y = top; y < below; y++)
            for (ptrdiff_t each = x; each < end; each++) {
                if (is_marked(&band->photo, each, y))
                    continue;
                mark(codes, each, y);
                if (cells->plane[y * size.width + each] < middle)
                    mark(ink, each, y);
                else if (cells->inner[cell])
                    unmark(ink, each, y);
            }
    }
}

/* Modules are taken from the pixels as they came: smoothing takes half the contrast of modules of two pixels.
 * ``lines`` is scratch, two rows of whole cells. */
static int take_modules(Cells *cells, const Band *band, uint8_t *lines, const Mask *codes, const Mask *ink)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    uint8_t *pixels = malloc(octets);
    if (pixels == NULL)
        return -1;
    take_luma(pixels, band->from, band->size);
    for (size_t at = 0; at < octets && band->ground->turned; at++)
        pixels[at] = (uint8_t)~pixels[at];
    cells->plane = pixels;
    int failed = take_ink_and_paper(cells, band, lines, AROUND + REACH - 1) < 0;
    for (ptrdiff_t row = 0; row < cells->size.rows && !failed; row++)
        take_module_row(cells, band, row, codes, ink);
    free(pixels);
    return failed ? -1 : 0;
}

int find_codes(const Band *band, const Mask *codes, const Mask *ink)
{
    Cells cells;
    int failed = take_cells(&cells, band) < 0;
    uint8_t *lines = malloc(2 * (size_t)(cells.size.width * cells.across));
    failed = failed || lines == NULL || find_cells(&cells, band, lines) < 0
             || (any_code(&cells) && take_modules(&cells, band, lines, codes, ink) < 0);
    free(lines);
    free_cells(&cells);
    return failed ? -1 : 0;
}
