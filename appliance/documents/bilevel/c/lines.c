/* Parts lines that are not type where they meet type, so that it stays legible: pale lines end HALO / 2 pixels from
 * it; broad pale ones (roads of a map) and upright pale ones that touch it keep as far away as tints; thin upright
 * ones of any grey (the trace of an ECG) leave a rim around each letter. Horizontal lines stay: they may strike
 * words out. */
#include "sheet.h"

#include <stdlib.h>

enum { PALE_LINE = 110, BROAD = 9, UPRIGHT = 31, THIN = 5, RIM_ACROSS = 5, RIM_DOWN = 3 };
/* Of shapes so pale only the outline is left (hollow_pale): it keeps off as the broad line would. */
enum { LEAST_SHAPE = 10 };

WIDE static void mark_pale(uint8_t *restrict line, const uint8_t *restrict closed, const uint8_t *restrict tone,
                           ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t depth = excess(closed[x], tone[x]);
        line[x] = depth < PALE_LINE;
    }
}

WIDE static void mark_shapes(uint8_t *restrict line, const uint8_t *restrict closed, const uint8_t *restrict tone,
                             ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t depth = excess(closed[x], tone[x]);
        line[x] = (depth >= LEAST_SHAPE) & (depth <= HOLLOW_DEPTH);
    }
}

/* Sets ``shapes`` to broad pale ones with their edges, of which perhaps only the outline is black. ``pale`` is scratch. */
static int take_shapes(const Band *band, const Mask *shapes, const Mask *pale, const Mask *clear)
{
    int across = pixels_across(band, BROAD), down = pixels_down(band, BROAD);
    ptrdiff_t width = band->size.width;
    uint8_t *line = new_line(band->size);
    for (ptrdiff_t y = 0; y < band->size.rows && line != NULL; y++) {
        if (any_in_row(clear, y)) {
            mark_shapes(line, band->closed + y * width, band->under_tone + y * width, width);
            take_line(shapes, y, line);
        }
    }
    free(line);
    copy_mask(pale, shapes);
    if (line == NULL || open_mask(shapes, across, down) < 0 || widen_mask(shapes, across, down) < 0)
        return -1;
    keep_mask(shapes, pale);
    return 0;
}

static int take_pale(const Band *band, const Mask *pale, const Mask *black)
{
    ptrdiff_t width = band->size.width;
    uint8_t *line = new_line(band->size);
    for (ptrdiff_t y = 0; y < band->size.rows && line != NULL; y++)
        if (any_in_row(black, y)) {
            mark_pale(line, band->closed + y * width, band->under_tone + y * width, width);
            take_line(pale, y, line);
        }
    keep_mask(pale, black);
    free(line);
    return line == NULL ? -1 : 0;
}

/* Sets ``upright`` to the pixels of ``lines`` in upright runs of lines at most ``widest`` wide. ``wide`` is scratch. */
static int take_upright(const Band *band, const Mask *upright, const Mask *wide, const Mask *lines, int widest)
{
    copy_mask(upright, lines);
    copy_mask(wide, lines);
    if (open_mask(upright, 1, pixels_down(band, UPRIGHT)) < 0
        || open_mask(wide, pixels_across(band, widest + 2), 1) < 0)
        return -1;
    drop_mask(upright, wide);
    return 0;
}

/* Removes from ``black`` what is both in ``lines`` and in ``around``. */
static void part_where(const Mask *black, const Mask *around, const Mask *lines, const Mask *scratch)
{
    copy_mask(scratch, around);
    keep_mask(scratch, lines);
    drop_mask(black, scratch);
}

int part_lines(const Band *band, const Mask *black, const Mask *dark, const Mask *clear)
{
    enum { AROUND, LINES, UPRIGHT_LINES, TOUCHING, SHAPES, ALL };
    Mask masks[ALL], *around = masks + AROUND, *lines = masks + LINES, *upright = masks + UPRIGHT_LINES,
                     *touching = masks + TOUCHING;
    if (new_masks(masks, ALL, band->size) < 0)
        return -1;
    copy_mask(around, dark);
    int failed = take_pale(band, lines, black) < 0 || widen_scaled(band, around, HALO, HALO) < 0
                 || take_upright(band, upright, touching, lines, BROAD) < 0;
    if (!failed) {
        part_where(black, around, lines, touching);
        failed = open_mask(lines, pixels_across(band, BROAD), pixels_down(band, BROAD)) < 0;
    }
    if (!failed) {
        add_mask(lines, upright);
        keep_mask(lines, clear);
        copy_mask(touching, lines);
        keep_mask(touching, around);
        spread_mask(touching, lines);
        drop_mask(black, touching);
        copy_mask(around, dark);
        failed = take_upright(band, lines, upright, black, THIN) < 0
                 || widen_scaled(band, around, RIM_ACROSS, RIM_DOWN) < 0;
    }
    if (!failed) {
        part_where(black, around, lines, touching);
        failed = take_shapes(band, masks + SHAPES, touching, clear) < 0;
    }
    if (!failed)
        part_where(black, clear, masks + SHAPES, touching);
    free_masks(masks);
    return failed ? -1 : 0;
}
