/* Puts light type in black boxes, and fills the bars that it stands in. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* The box of light type: its letters widened by BOX_ACROSS x BOX_DOWN pixels, then closed to fill the gaps of a
 * word. */
enum { BOX_ACROSS = 15, BOX_DOWN = 11, BOX_CLOSED_ACROSS = 25, BOX_CLOSED_DOWN = 9 };
/* Boxes end where the paper is white: from level BARE_PAPER, or BARE_IN_NOISE in a raster, whose paper has noise and
 * whose tints this light carry no light type. */
enum { BARE_PAPER = 248, BARE_IN_NOISE = 225 };
/* A tint at most BAR pixels wide in one direction, or CORNER in one of both everywhere, is a bar, which becomes black as a whole when light type stands in
 * it. Within it neighbours differ by at most SAME_LEVEL levels (SAME_IN_NOISE in a scan); it is darker than
 * BAR_BELOW, or UNCERTAIN_BAR_BELOW where light type was found from the pixels. In a raster gaps up to MENDED pixels
 * are closed. Except in scans, what is GAP_LIGHTER than the bar is a gap between two: where light type is not known,
 * from LONG_GAP on. */
enum { BAR = 151, CORNER = 75, SAME_LEVEL = 6, SAME_IN_NOISE = 14, MENDED = 9, BAR_BELOW = 215,
       UNCERTAIN_BAR_BELOW = 165, LONG_GAP = 49 };

/* Marks pixels below ``below`` whose left and upper neighbours differ by at most ``same`` levels. */
WIDE static void mark_alike(uint8_t *restrict tint, const uint8_t *level, const uint8_t *left, const uint8_t *above,
                            int below,
                            int same, ptrdiff_t count)
{
    uint8_t under = (uint8_t)below, near = (uint8_t)same;
    for (ptrdiff_t at = 0; at < count; at++) {
        uint8_t here = level[at];
        uint8_t across = difference(here, left[at]);
        uint8_t down = difference(here, above[at]);
        tint[at] = (here < under) & (across <= near) & (down <= near);
    }
}

WIDE static void mark_gaps(uint8_t *restrict gap, const uint8_t *restrict tone, const uint8_t *restrict level,
                           ptrdiff_t count)
{
    for (ptrdiff_t at = 0; at < count; at++) {
        uint8_t lighter = excess(tone[at], level[at]);
        gap[at] = lighter >= GAP_LIGHTER;
    }
}

/* Removes gaps between bars from ``tint``: where light type is found from the pixels, only those as long as no letter
 * is. */
static int drop_gaps(const Band *band, const Mask *tint, const uint8_t *level)
{
    ptrdiff_t width = band->size.width;
    uint8_t *line = new_line(band->size);
    Mask gaps = {0};
    int failed = line == NULL || new_masks(&gaps, 1, band->size) < 0;
    for (ptrdiff_t y = 0; y < band->size.rows && !failed; y++) {
        mark_gaps(line, band->under_tone + y * width, level + y * width, width);
        take_line(&gaps, y, line);
    }
    if (!failed && band->dark_type == NULL)
        failed = only_runs(&gaps, pixels_across(band, LONG_GAP), pixels_down(band, LONG_GAP)) < 0;
    if (!failed)
        drop_mask(tint, &gaps);
    free(line);
    free_masks(&gaps);
    return failed ? -1 : 0;
}

/* Marks tints. The left neighbour of a row's first pixel is the last one of the row above. */
static int mark_tints(const Band *band, const Mask *tint, const uint8_t *level)
{
    ptrdiff_t width = band->size.width;
    int same = band->ground->scanned ? SAME_IN_NOISE : SAME_LEVEL;
    int below = band->dark_type != NULL ? BAR_BELOW : UNCERTAIN_BAR_BELOW;
    uint8_t *line = new_line(band->size);
    if (line == NULL)
        return -1;
    line[0] = level[0] < below;
    mark_alike(line + 1, level + 1, level, level + 1, below, same, width - 1);
    take_line(tint, 0, line);
    for (ptrdiff_t y = 1; y < band->size.rows; y++) {
        const uint8_t *row = level + y * width;
        mark_alike(line, row, row - 1, row - width, below, same, width);
        take_line(tint, y, line);
    }
    drop_mask(tint, &band->photo);
    free(line);
    return 0;
}

/* A white line PARTING pixels wide parts two tints that became black bars and are less than MEETING pixels apart, such as
 * the pieces of a stacked bar. It keeps off light type: close to that, pieces shorter than SHORTEST might be read as signs.
 * Tints of one level differ by COLOUR_STEP in red, green or blue. */
enum { PARTING = 3, MEETING = 5, BESIDE_TYPE = 13, SHORTEST = 25, COLOUR_STEP = 48 };

/* Marks pixels whose colour is not that of those to the left and above. */
WIDE static void mark_colour_steps(uint8_t *restrict steps, const uint8_t *here, const uint8_t *left,
                                   const uint8_t *above, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t some = 0;
        for (ptrdiff_t at = 4 * x; at < 4 * x + 3; at++)
            some |= (difference(here[at], left[at]) >= COLOUR_STEP) | (difference(here[at], above[at]) >= COLOUR_STEP);
        steps[x] = some;
    }
}

static int drop_colour_steps(const Band *band, const Mask *bars)
{
    Mask steps = {0};
    ptrdiff_t stride = band->from.stride, width = band->size.width;
    uint8_t *line = new_line(band->size);
    int failed = line == NULL || new_masks(&steps, 1, band->size) < 0;
    for (ptrdiff_t y = 1; y < band->size.rows && !failed; y++)
        if (any_in_row(bars, y)) {
            const uint8_t *row = band->from.pixels + y * stride;
            mark_colour_steps(line + 1, row + 4, row, row - stride + 4, width - 1);
            take_line(&steps, y, line);
        }
    if (!failed)
        drop_mask(bars, &steps);
    free(line);
    free_masks(&steps);
    return failed ? -1 : 0;
}

/* Sets ``partings`` to where bars in ``box`` meet. ``tint``: without the steps between levels. */
static int part_bars(const Band *band, const Mask *partings, const Mask *box, const Mask *tint, const Mask *light)
{
    Mask masks[3], *bars = masks, *near = masks + 1, *cut = masks + 2;
    int failed = new_masks(masks, 3, band->size) < 0;
    if (!failed) {
        copy_mask(bars, box);
        keep_mask(bars, tint);
        failed = band->from.channels == 4 && drop_colour_steps(band, bars) < 0;
        copy_mask(partings, bars);
        failed = failed || close_mask(partings, MEETING, MEETING) < 0;
        drop_mask(partings, bars);
    }
    if (!failed && any_marked(partings)) {
        copy_mask(near, light);
        failed = widen_scaled(band, near, BESIDE_TYPE, BESIDE_TYPE) < 0
                 || close_scaled(band, near, CLEAR_CLOSED, 1) < 0 || widen_mask(partings, PARTING, PARTING) < 0;
        copy_mask(cut, near);
        keep_mask(cut, partings);
        spread_mask(cut, partings);
        drop_mask(partings, cut);
        drop_mask(cut, near);
        failed = failed || only_runs(cut, pixels_across(band, SHORTEST), pixels_down(band, SHORTEST)) < 0;
        add_mask(partings, cut);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Adds to ``box`` the tints around it that have no room for across x down pixels; where the type is not known, also the
 * parts without room of the others. */
static int fill_narrow(const Band *band, const Mask *box, const Mask *tint, const Mask *clear, int across, int down)
{
    Mask masks[2], *wide = masks, *bar = masks + 1;
    int failed = new_masks(masks, 2, band->size) < 0;
    if (!failed) {
        copy_mask(wide, tint);
        failed = open_mask(wide, across, down) < 0;
        if (band->dark_type != NULL)
            spread_mask(wide, tint);
        copy_mask(bar, tint);
        drop_mask(bar, wide);
        drop_mask(bar, clear);
        sweep_mask(box, bar, across > 1);
        sweep_mask(box, bar, across == 1);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Adds the bars to ``box``, and sets ``partings`` to the lines between them where the type is known. */
static int fill_bars(const Band *band, const Mask *box, const Mask *partings, const uint8_t *level, const Mask *light,
                     const Mask *clear)
{
    Mask tint = {0};
    int known = band->dark_type != NULL;
    int failed = new_masks(&tint, 1, band->size) < 0 || mark_tints(band, &tint, level) < 0;
    if (!failed && band->ground->raster) /* noise breaks tints up */
        failed = close_scaled(band, &tint, MENDED, MENDED) < 0;
    if (!failed && !band->ground->scanned)
        failed = drop_gaps(band, &tint, level) < 0;
    int across[] = {1, pixels_across(band, BAR), pixels_across(band, CORNER)};
    int down[] = {pixels_down(band, BAR), 1, pixels_down(band, CORNER)};
    for (int shape = 0; shape < (known ? 3 : 2) && !failed; shape++)
        failed = fill_narrow(band, box, &tint, clear, across[shape], down[shape]) < 0;
    failed = failed || (known && part_bars(band, partings, box, &tint, light) < 0);
    free_masks(&tint);
    return failed ? -1 : 0;
}

WIDE static void mark_darker(uint8_t *restrict line, const uint8_t *restrict ground, int bare, ptrdiff_t width)
{
    uint8_t white = (uint8_t)bare;
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = ground[x] < white;
}

/* Removes from boxes bare paper and what tints keep away from. */
static int keep_boxes(const Band *band, const Mask *box, const Mask *light, const Mask *clear)
{
    ptrdiff_t width = band->size.width;
    int bare = band->dark_type != NULL ? BARE_PAPER : BARE_IN_NOISE;
    uint8_t *line = new_line(band->size);
    Mask darker = {0};
    int failed = line == NULL || new_masks(&darker, 1, (Size){width, 1}) < 0;
    for (ptrdiff_t y = 0; y < band->size.rows && !failed; y++) {
        if (!any_in_row(box, y))
            continue;
        mark_darker(line, band->under_type + y * width, bare, width);
        take_line(&darker, 0, line);
        for (ptrdiff_t word = 0; word < box->stride; word++)
            row_of(box, y)[word] &= (darker.words[word] | row_of(&band->photo, y)[word])
                                    & (~row_of(clear, y)[word] | row_of(light, y)[word]);
    }
    free(line);
    free_masks(&darker);
    return failed ? -1 : 0;
}

/* Where type is not known, neither are the edges of bars to the pixel, and some of a bar is taken for ink. Boxes leave
 * out what is closer to bare paper than to the bar, or by a bar from DARK_BAR on, whose letters stand out less, five
 * times as close. The rest of a bar they do not leave out for ink that is beside it, or perhaps of it, but for ink on it,
 * ON_BAR levels darker; nor for that by a darker bar, unless it is so much darker than its own ground: black figures in
 * cells of a middle blue. */
enum { ON_BAR = 60 };

WIDE static void mark_by_darkest(uint8_t *restrict paler, uint8_t *restrict of_bar, uint8_t *restrict on_bar,
                                 const uint8_t *restrict tone, const uint8_t *restrict level,
                                 const uint8_t *restrict darkest, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t dark = darkest[x] < DARK_BAR, middle = (darkest[x] < UNCERTAIN_BAR_BELOW) ^ dark;
        uint8_t half = (uint16_t)(2 * tone[x]) >= (uint16_t)(darkest[x] + BARE_IN_NOISE);
        uint8_t most = (uint16_t)(6 * tone[x]) >= (uint16_t)(darkest[x] + 5 * BARE_IN_NOISE);
        uint8_t darker = excess(darkest[x], tone[x]), deep = excess(level[x], tone[x]);
        uint8_t within = dark & (level[x] < DARK_BAR) & (deep >= ON_BAR);
        paler[x] = (dark & half) | (middle & most);
        of_bar[x] = (dark | middle) ^ paler[x];
        on_bar[x] = (middle & (darker >= ON_BAR)) | within;
    }
}

static int tell_bars(const Band *band, const uint8_t *level, const Mask *paler, const Mask *of_bar, const Mask *on_bar)
{
    Size size = band->size;
    uint8_t *lines[3] = {new_line(size), new_line(size), new_line(size)};
    uint8_t *darkest = malloc((size_t)(size.width * size.rows));
    int failed = lines[0] == NULL || lines[1] == NULL || lines[2] == NULL || darkest == NULL
                 || widen_dark(darkest, level, size, pixels_across(band, BOX_ACROSS), pixels_down(band, BOX_DOWN)) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        mark_by_darkest(lines[0], lines[1], lines[2], band->under_tone + y * size.width, level + y * size.width,
                        darkest + y * size.width, size.width);
        take_line(paler, y, lines[0]);
        take_line(of_bar, y, lines[1]);
        take_line(on_bar, y, lines[2]);
    }
    for (int each = 0; each < 3; each++)
        free(lines[each]);
    free(darkest);
    if (!failed && any_marked(on_bar))
        failed = widen_scaled(band, on_bar, CLEAR_ACROSS, CLEAR_DOWN) < 0
                 || close_scaled(band, on_bar, CLEAR_CLOSED, 1) < 0;
    if (!failed)
        drop_mask(of_bar, on_bar);
    return failed ? -1 : 0;
}

int set_off(const Band *band, const Mask *black, const Mask *light, const uint8_t *level, const Mask *clear)
{
    enum { BOX, PALER, OF_BAR, ON, PARTINGS, ALL };
    Mask masks[ALL], *box = masks + BOX, *paler = masks + PALER, *of_bar = masks + OF_BAR;
    int raster = band->dark_type == NULL, failed = new_masks(masks, ALL, band->size) < 0;
    if (!failed) {
        copy_mask(box, light);
        failed = widen_scaled(band, box, BOX_ACROSS, BOX_DOWN) < 0
                 || close_scaled(band, box, BOX_CLOSED_ACROSS, BOX_CLOSED_DOWN) < 0
                 || (raster && tell_bars(band, level, paler, of_bar, masks + ON) < 0);
    }
    if (!failed && raster)
        drop_mask(clear, of_bar);
    failed = failed || keep_boxes(band, box, light, clear) < 0
             || fill_bars(band, box, masks + PARTINGS, level, light, clear) < 0;
    if (!failed) {
        drop_mask(box, paler);
        add_mask(black, box);
        drop_mask(masks + PARTINGS, clear);
        drop_mask(black, masks + PARTINGS);
        drop_mask(black, light);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}
