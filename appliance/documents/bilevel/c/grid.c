/* Removes grids of millimetre paper, and in scans the stripes of security patterns on cards, from the ink. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* The grid of millimetre paper, removed since it would bury the curve on it: faint lines of at least GRID_LINE
 * pixels, up to GRID_PITCH (2.6 mm) apart, which cover GRID_PERCENT of GRID_AROUND x GRID_AROUND pixels, over at
 * least GRID_SIDE in both directions. A table's lines are farther apart. Faint lines have a depth from FAINTEST, or
 * FAINT_TIMES the noise, to below FAINT, and are thinner than GRID_THICK pixels. */
enum { FAINTEST = 7, FAINT_TIMES = 2, FAINT = 110, GRID_LINE = 41, GRID_SIDE = 81, GRID_AROUND = 61, GRID_PITCH = 21,
       GRID_PERCENT = 13, GRID_RIM = 3, GRID_THICK = 8, GRID_THICK_SCANNED = 6 };
/* The stripes of a card's security pattern, removed from scans: lines of at least STRIPE pixels, less than STRIPE_WIDE
 * thick, that cover STRIPE_PERCENT of STRIPES_AROUND x STRIPES_AROUND pixels, and up to STRIPE_REACH / 2 away their
 * pieces from STRIPE_PIECE on. */
enum { DARKEST_STRIPE = 160 }; /* darker areas between long light lines are grounds of light type */
enum { STRIPE = 101, STRIPE_PERCENT = 25, STRIPE_PIECE = 21, STRIPE_REACH = 481, STRIPE_WIDE = 13, STRIPE_FLAT = 7,
       STRIPES_AROUND = 81, STRIPE_RIM = 3 };
/* Pages on which less than one pixel in this many is faint have no grid; photographs of a drawn page do not count. */
enum { GRID_LEAST = 50 };
/* The paper of a scan is uneven: a line of a grid is at least PAPER_TIMES as deep as the BETWEEN_LINES percentile of
 * all depths, since at least that share of the page lies between the lines of any grid. One pixel in EVERY x EVERY
 * is sampled. */
enum { BETWEEN_LINES = 15, PAPER_TIMES = 3, EVERY = 4 };

WIDE static void mark_faint(uint8_t *restrict line, const uint8_t *restrict depth, uint8_t faintest, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (depth[x] >= faintest) & (depth[x] < FAINT);
}

WIDE static void mark_below(uint8_t *restrict line, const uint8_t *restrict values, uint8_t level, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = values[x] < level;
}

/* Keeps in ``mask`` only pixels whose value is below ``level``, or, if not ``is_below``, only those from ``level``
 * on. */
static int keep_below(const Mask *mask, const uint8_t *values, uint8_t level, int is_below)
{
    Size size = mask->size;
    uint8_t *line = new_line(size);
    Mask row = {0};
    int failed = line == NULL || new_masks(&row, 1, (Size){size.width, 1}) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        if (!any_in_row(mask, y))
            continue;
        mark_below(line, values + y * size.width, level, size.width);
        take_line(&row, 0, line);
        for (ptrdiff_t word = 0; word < mask->stride; word++)
            row_of(mask, y)[word] &= is_below ? row.words[word] : ~row.words[word];
    }
    free(line);
    free_masks(&row);
    return failed ? -1 : 0;
}

/* Keeps runs of at least ``length`` pixels, upright or horizontal. */
static int only_upright(const Band *band, const Mask *mask, int upright, int length)
{
    return open_mask(mask, upright ? 1 : pixels_across(band, length), upright ? pixels_down(band, length) : 1);
}

static int where_dense_around(const Band *band, const Mask *dense, const Mask *mask, int window, int percent)
{
    return where_dense(dense, mask, pixels_across(band, window), pixels_down(band, window), percent);
}

int make_paper(const Band *band, const Mask *dropped)
{
    Size size = band->size;
    uint8_t *line = new_line(size);
    for (ptrdiff_t y = 0; y < size.rows && line != NULL; y++)
        if (any_in_row(dropped, y)) {
            put_line(dropped, y, line);
            take_where(band->under_tone + y * size.width, band->closed + y * size.width, line, size.width);
        }
    free(line);
    return line == NULL ? -1 : 0;
}

/* ``faint``: pixels that may be of a stripe. There is a pattern where long runs of them are ink. */
static int drop_stripes(const Band *band, const Mask *ink, const uint8_t *depth, const Mask *faint)
{
    enum { STRIPES, AREA, DENSE, CROSSING, BLOBS, ALL };
    Mask masks[ALL], *stripes = masks + STRIPES, *area = masks + AREA, *dense = masks + DENSE,
                     *crossing = masks + CROSSING, *blobs = masks + BLOBS;
    if (new_masks(masks, ALL, band->size) < 0)
        return -1;
    int failed = 0;
    for (int upright = 0; upright < 2 && !failed; upright++) {
        copy_mask(stripes, faint);
        keep_mask(stripes, ink);
        failed = keep_below(stripes, band->under_tone, DARKEST_STRIPE, 0) < 0
                 || only_upright(band, stripes, upright, STRIPE) < 0;
        if (failed || !any_marked(stripes))
            continue;
        copy_mask(blobs, faint);
        int across = pixels_across(band, upright ? STRIPE_WIDE : STRIPE_FLAT);
        int down = pixels_down(band, upright ? STRIPE_FLAT : STRIPE_WIDE);
        failed = open_mask(blobs, across, down) < 0;
        drop_mask(stripes, blobs);
        failed = failed || where_dense_around(band, area, stripes, STRIPES_AROUND, STRIPE_PERCENT) < 0;
        if (failed || !any_marked(area))
            continue;
        copy_mask(stripes, faint);
        copy_mask(crossing, faint);
        failed = widen_scaled(band, area, STRIPE_REACH, STRIPE_REACH) < 0
                 || only_upright(band, stripes, upright, STRIPE_PIECE) < 0
                 || only_upright(band, crossing, !upright, STRIPE) < 0
                 || where_dense_around(band, dense, stripes, GRID_AROUND, STRIPE_PERCENT) < 0
                 || widen_scaled(band, dense, GRID_AROUND / 2, GRID_AROUND / 2) < 0
                 || widen_mask(stripes, STRIPE_RIM, STRIPE_RIM) < 0;
        keep_mask(stripes, area);
        keep_mask(stripes, dense);
        drop_mask(stripes, crossing);
        drop_mask(stripes, blobs);
        failed = failed || keep_below(stripes, depth, FAINT, 1) < 0 || make_paper(band, stripes) < 0;
        if (!failed)
            drop_mask(ink, stripes);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}

/* ``lines``: the faint pixels; ``grid`` and ``dense`` are scratch. */
static int drop_lines(const Band *band, const Mask *ink, const uint8_t *depth, const Mask *lines, const Mask *grid,
                      const Mask *dense)
{
    int across = pixels_across(band, GRID_AROUND), down = pixels_down(band, GRID_AROUND);
    int thick = band->ground->scanned ? GRID_THICK_SCANNED : GRID_THICK;
    copy_mask(grid, lines); /* thicker things are blurred type */
    if (open_mask(grid, pixels_across(band, thick), pixels_down(band, thick)) < 0
        || only_runs(lines, pixels_across(band, GRID_LINE), pixels_down(band, GRID_LINE)) < 0)
        return -1;
    drop_mask(lines, grid);
    copy_mask(grid, lines);
    if (close_mask(grid, pixels_across(band, GRID_PITCH), pixels_down(band, GRID_PITCH)) < 0
        || open_mask(grid, pixels_across(band, GRID_LINE), pixels_down(band, GRID_LINE)) < 0)
        return -1;
    copy_mask(dense, grid); /* all that hangs together with something so large */
    if (open_mask(grid, pixels_across(band, GRID_SIDE), pixels_down(band, GRID_SIDE)) < 0)
        return -1;
    sweep_mask(grid, dense, 0);
    sweep_mask(grid, dense, 1);
    if (!any_marked(grid))
        return 0;
    if (where_dense_around(band, dense, lines, GRID_AROUND, GRID_PERCENT) < 0
        || widen_mask(lines, GRID_RIM, GRID_RIM) < 0)
        return -1;
    keep_mask(grid, dense);
    if (close_mask(grid, across, down) < 0) /* include what lies under the curve */
        return -1;
    keep_mask(grid, lines);
    keep_mask(grid, ink);
    if (keep_below(grid, depth, FAINT, 1) < 0)
        return -1;
    drop_mask(ink, grid);
    return 0;
}

/* Least depth of a line of a grid. */
static uint8_t faintest_of(const Band *band, const uint8_t *depth)
{
    Size size = band->size;
    size_t depths[256] = {0}, count = 0, below = 0;
    int faintest = beyond_noise(band, FAINTEST, FAINT_TIMES), paper = 0;
    for (ptrdiff_t y = 0; band->ground->scanned && y < size.rows; y += EVERY)
        for (ptrdiff_t x = 0; x < size.width; x += EVERY, count++)
            depths[depth[y * size.width + x]]++;
    while (paper < FAINT / PAPER_TIMES && (below += depths[paper]) * 100 < count * BETWEEN_LINES)
        paper++;
    paper *= PAPER_TIMES;
    return (uint8_t)(paper > faintest ? paper : faintest);
}

int drop_grid(const Band *band, const Mask *ink, const uint8_t *depth)
{
    Size size = band->size;
    enum { LINES, GRID, DENSE, ALL };
    Mask masks[ALL] = {0};
    uint8_t *line = new_line(size);
    uint8_t faintest = faintest_of(band, depth);
    int failed = line == NULL || new_masks(masks, ALL, size) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        mark_faint(line, depth + y * size.width, faintest, size.width);
        take_line(masks + LINES, y, line);
    }
    if (!failed) {
        copy_mask(masks + GRID, masks + LINES);
        if (!band->ground->raster)
            drop_mask(masks + GRID, &band->photo);
    }
    if (!failed && count_marked(masks + GRID) * GRID_LEAST >= (size_t)(size.width * size.rows))
        failed = (band->ground->scanned && drop_stripes(band, ink, depth, masks + LINES) < 0)
                 || drop_lines(band, ink, depth, masks + LINES, masks + GRID, masks + DENSE) < 0;
    free(line);
    free_masks(masks);
    return failed ? -1 : 0;
}
