/* Combines the steps: which pixels are black. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* Specks of a scan up to SPECK pixels are removed. Those of DOT pixels or more stay within DOT_ACROSS x DOT_DOWN
 * pixels of larger ink: dots of small letters, full stops. */
enum { SPECK = 4, DOT = 2, DOT_ACROSS = 13, DOT_DOWN = 9 };

/* Masks of the band in work. */
typedef struct {
    Mask ink;   /* drawn dark */
    Mask dark;  /* dark type */
    Mask light; /* light type */
    Mask codes; /* modules of machine-readable codes */
    Mask clear; /* what tints keep away from */
} Found;

WIDE static void lighten(uint8_t *restrict level, const uint8_t *restrict where, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        level[x] |= (uint8_t)-where[x];
}

/* Finds codes, removes light type from them, and makes their areas white so that no tints or outlines are drawn. */
static int take_codes(const Band *band, const Found *found, uint8_t *level)
{
    if (find_codes(band, &found->codes, &found->ink) < 0)
        return -1;
    uint8_t *line = new_line(band->size);
    if (line == NULL)
        return -1;
    drop_mask(&found->light, &found->codes);
    for (ptrdiff_t y = 0; y < band->size.rows; y++)
        if (any_in_row(&found->codes, y)) {
            put_line(&found->codes, y, line);
            lighten(level + y * band->size.width, line, band->size.width);
        }
    free(line);
    return 0;
}

/* Finds all but known type. */
static int find_all(const Band *band, const Found *found, uint8_t *level)
{
    int across = pixels_across(band, STROKE), down = pixels_down(band, STROKE);
    if (without_light(level, band->closed, band->size, across, down) < 0 || find_ink(band, &found->ink, level) < 0
        || (!band->ground->scanned && take_narrow_parts(band, &found->ink, level) < 0))
        return -1;
    if (band->dark_type != NULL)
        return 0;
    return find_light_type(band, &found->light, &found->ink, level) < 0 ? -1 : take_codes(band, found, level);
}

static int remove_dust(const Band *band, const Mask *black)
{
    Mask masks[2], *all = masks, *near = masks + 1;
    int failed = new_masks(masks, 2, band->size) < 0;
    if (!failed) {
        remove_specks(black, DOT - 1);
        copy_mask(all, black);
        remove_specks(black, band->ground->y_dpi < COARSE_DPI ? SPECK / 2 : SPECK);
        copy_mask(near, black);
        failed = widen_scaled(band, near, DOT_ACROSS, DOT_DOWN) < 0;
        keep_mask(all, near);
        add_mask(black, all);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Opens gaps between words on white for a tint that is in them: the key of a legend. ``gaps``: what was filled. */
static void open_for_keys(const Band *band, const Mask *clear, const Mask *gaps, const uint8_t *level)
{
    ptrdiff_t width = band->size.width, to_type = pixels_across(band, CLEAR_ACROSS) / 2 + 1;
    for (ptrdiff_t y = 0; y < band->size.rows; y++, level += width)
        for (ptrdiff_t x = next_marked(gaps, y, 0), end; x < width; x = next_marked(gaps, y, end)) {
            end = next_unmarked(gaps, y, x);
            ptrdiff_t before = x < to_type ? 0 : x - to_type, after = end + to_type < width ? end + to_type : width - 1;
            if (tint_of(level[before]) != WHITE_TINT || tint_of(level[after]) != WHITE_TINT)
                continue;
            for (ptrdiff_t each = x; each < end; each++)
                if (tint_of(level[each]) != WHITE_TINT)
                    unmark(clear, each, y);
        }
}

/* Fills the gaps between words of dark type in ``clear``, but not across light type: its box goes there. */
static int close_clear(const Band *band, const Mask *clear, const Mask *light, const uint8_t *level)
{
    Mask masks[2], *gaps = masks, *kept = masks + 1;
    int failed = new_masks(masks, 2, clear->size) < 0;
    if (!failed) {
        copy_mask(kept, clear);
        failed = close_scaled(band, clear, CLEAR_CLOSED, 1) < 0;
        copy_mask(gaps, clear);
        drop_mask(gaps, kept);
        open_for_keys(band, clear, gaps, level);
    }
    if (!failed && any_marked(light)) {
        copy_mask(kept, light);
        keep_mask(kept, gaps);
        spread_mask(kept, gaps);
        drop_mask(clear, kept);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Sets ``black`` to the ink without photographs and light type, and ``clear`` to what tints keep away from. */
static int take_ink(const Band *band, const Mask *black, const Found *found, const uint8_t *level)
{
    int known = band->dark_type != NULL, failed = 0;
    const Mask *dark = &found->dark, *clear = &found->clear;
    copy_mask(black, &found->ink);
    drop_mask(black, &band->photo);
    drop_mask(black, &found->light);
    if (known && any_marked(dark)) {
        copy_mask(clear, dark);
        failed = widen_scaled(band, clear, CLEAR_ACROSS, CLEAR_DOWN) < 0 || part_lines(band, black, dark, clear) < 0;
    }
    add_mask(black, dark);
    failed = failed || (band->ground->scanned && remove_dust(band, black) < 0);
    if (!known) {
        copy_mask(dark, black);
        copy_mask(clear, dark);
        drop_mask(clear, &found->codes); /* the area of a code is wider than its modules */
        failed = failed || widen_scaled(band, clear, CLEAR_ACROSS, CLEAR_DOWN) < 0;
        add_mask(clear, &found->codes);
        add_mask(dark, &found->codes);
    }
    return failed || close_clear(band, clear, &found->light, level) < 0 ? -1 : 0;
}

/* Screens photographs, except around known type. */
static int take_photographs(const Band *band, const Mask *black, const Mask *halo)
{
    Mask masks[2], *screened = masks, *where = masks + 1;
    int failed = new_masks(masks, 2, band->size) < 0 || screen_photographs(band, screened) < 0;
    if (!failed) {
        copy_mask(where, &band->photo);
        if (band->dark_type != NULL)
            drop_mask(where, halo);
        keep_mask(screened, where);
        drop_mask(black, where);
        add_mask(black, screened);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}

static int is_white_row(const Band *band, ptrdiff_t y)
{
    const uint8_t *row = band->under_tone + y * band->size.width;
    return row[0] == 255 && memcmp(row, row + 1, (size_t)(band->size.width - 1)) == 0 && !any_in_row(&band->photo, y);
}

/* What is farther than this from known type on white does not change it, in rows. */
enum { REACH = 64 };

/* Sets ``top`` to the first of the next rows to work on, and returns their number: whole rows of tiles with all that is
 * not white or known type, and those near them. ``from``: the row after the last such ones. */
static ptrdiff_t busy_rows(const Band *band, ptrdiff_t from, ptrdiff_t *top)
{
    ptrdiff_t tile = rows_of_tile(band->ground->y_dpi), reach = pixels_down(band, REACH);
    ptrdiff_t rows = band->size.rows, begin = from, below;
    *top = from;
    if (band->dark_type == NULL)
        return rows - from;
    while (begin < rows && is_white_row(band, begin))
        begin++;
    if (begin == rows)
        return 0;
    below = begin + 1;
    for (ptrdiff_t y = below; y < rows && y - below <= 2 * (reach + tile); y++)
        below = is_white_row(band, y) ? below : y + 1;
    *top = begin - from < reach ? from : (begin - reach) / tile * tile;
    below = (below + reach + tile - 1) / tile * tile;
    return (below < rows ? below : rows) - *top;
}

static Band rows_of_band(const Band *band, ptrdiff_t top, ptrdiff_t rows)
{
    ptrdiff_t at = top * band->size.width;
    Band part = *band;
    part.size.rows = rows;
    part.first += top;
    part.above += top;
    part.from.pixels += top * part.from.stride;
    part.under_type += at;
    part.under_tone += at;
    part.closed += at;
    if (part.dark_type != NULL) {
        part.dark_type += at;
        part.light_type += at;
    }
    part.photo = rows_of_mask(&band->photo, top, rows);
    return part;
}

/* Sets ``black`` in the rows to work on. */
static int make_part(const Band *band, const Mask *black, const Found *found)
{
    int across = pixels_across(band, STROKE), down = pixels_down(band, STROKE);
    uint8_t *level = malloc((size_t)(band->size.width * band->size.rows));
    int failed = level == NULL || without_dark(band->closed, band->under_tone, band->size, across, down) < 0
                 || find_all(band, found, level) < 0 || take_ink(band, black, found, level) < 0;
    const Mask *halo = &found->dark; /* around dark type */
    failed = failed || widen_scaled(band, halo, HALO, HALO) < 0
             || (any_marked(&band->photo) && take_photographs(band, black, halo) < 0);
    if (!failed && band->ground->tones != TONES_EVERYWHERE)
        failed = hatch(band, black, level, &found->clear, halo) < 0;
    if (!failed && band->ground->tones == TONES_BY_CONTENT)
        failed = outline_fields(band, black, level, &found->ink, halo) < 0;
    if (!failed && any_marked(&found->light))
        failed = set_off(band, black, &found->light, level, &found->clear) < 0;
    free(level);
    return failed ? -1 : 0;
}

int make_bilevel(Band *band, const Mask *black)
{
    enum { ALL = sizeof(Found) / sizeof(Mask) };
    Mask masks[ALL];
    int failed = new_masks(masks, ALL, band->size) < 0;
    Found found = {masks[0], masks[1], masks[2], masks[3], masks[4]};
    mark_photographs(band);
    failed = failed || level_band(band) < 0;
    if (!failed && band->dark_type != NULL) {
        failed = find_type(band, &found.dark, &found.light) < 0;
        copy_mask(black, &found.dark);
    }
    for (ptrdiff_t top = 0, rows = 0; !failed && (rows = busy_rows(band, top + rows, &top)) > 0;) {
        Band part = rows_of_band(band, top, rows);
        Mask of_part = rows_of_mask(black, top, rows);
        Found in_part = {rows_of_mask(&found.ink, top, rows), rows_of_mask(&found.dark, top, rows),
                         rows_of_mask(&found.light, top, rows), rows_of_mask(&found.codes, top, rows),
                         rows_of_mask(&found.clear, top, rows)};
        failed = make_part(&part, &of_part, &in_part) < 0;
    }
    free_masks(masks);
    return failed ? -1 : 0;
}
