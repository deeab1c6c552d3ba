/* Turns tints into rows of lines. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* Pale tints smaller than this in both directions, in pixels, are left white: a tick box with a line in it looks
 * ticked. But those darker than PALER, or whose red, green and blue differ by VIVID or more, mean something: they are
 * keys of legends, or fields that somebody has filled. */
enum { SMALL = 48, PALER = 186, VIVID = 96 };
/* Pixels that differ from the area by more levels are not of its tint. */
enum { OF_TINT = 14 };
/* A line is drawn where two tints meet at a sharp step of at least this many levels. */
enum { STEP = 24 };
/* The outline of a pale tint keeps off type by this many pixels more, both sides together. */
enum { FARTHER = 5 };

enum { BLACK_AREA = 115 };

static void make_kinds(const Band *band, uint8_t kinds[256])
{
    for (int value = 0; value < 256; value++) {
        int level = value - band->darker / 4;
        if (band->ground->tones == TONES_NONE) /* areas are black or white */
            kinds[value] = level < BLACK_AREA ? BLACK_TINT : 0;
        else
            kinds[value] = (uint8_t)tint_of(level < 0 ? 0 : level > 255 ? 255 : level);
    }
}

/* In an area below this level nothing is dark enough to be ink: what was taken for ink there is its own rim, where it
 * is narrower than a stroke, as at the top of a disc. The area does not keep off that. */
enum { BLACKEST = 20 };
/* Between type that stands on a tint a line of it is drawn only from this length on, in pixels. */
enum { SHORTEST_LINE = 80 };

/* Pixels of a row tested at a time. */
enum { PIECE = 64 };

WIDE static int is_lighter(const uint8_t *levels, uint8_t than)
{
    uint8_t some = 0;
    for (int x = 0; x < PIECE; x++)
        some |= levels[x] <= than;
    return some == 0;
}

/* What a row of tints is made from. */
typedef struct {
    const Band *band;
    const uint8_t *level;
    const Mask *clear, *large;
    const uint8_t *kinds;              /* tint of each level, an index into TINTS */
    uint8_t least[TINT_KINDS], most[TINT_KINDS]; /* range of levels of each tint; empty where most < least */
    uint8_t *line;                     /* scratch */
    uint8_t *places, *phases;          /* of colours with patterns, see patterns.c; NULL if there are none */
    Mask row; /* row 0 is scratch, row 1 what is black for its tint, row 2 the blackest areas */
} Hatching;

/* Sets ``shown`` for the tints that are black in this row. Returns the lightest level to look at, or 0 for none. */
static uint8_t shown_in(const Hatching *hatching, ptrdiff_t y, uint8_t shown[TINT_KINDS])
{
    const Band *band = hatching->band;
    int thick = (band->ground->y_dpi + 98) / 196; /* height of a line in rows */
    uint8_t lightest = 0;
    thick = thick < 1 ? 1 : thick;
    for (int kind = 0; kind < TINT_KINDS; kind++) {
        int of = TINTS[kind].of;
        if (band->ground->y_dpi < 150 && of > 3) /* rows are twice as high */
            of /= 2;
        shown[kind] = (y + band->first) / thick % of < TINTS[kind].black;
        if ((shown[kind] || (hatching->places != NULL && kind > 0)) && hatching->most[kind] > lightest)
            lightest = hatching->most[kind];
    }
    return lightest;
}

/* Marks pixels whose area has a level from ``least`` to ``most``, and that differ from it by at most ``apart``. */
WIDE static void mark_tint(uint8_t *restrict line, const uint8_t *restrict level, const uint8_t *restrict tone,
                           uint8_t least,
                           uint8_t most, uint8_t apart, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t differ = difference(tone[x], level[x]);
        line[x] = (level[x] >= least) & (level[x] <= most) & (differ <= apart);
    }
}

static int reach_of(int kind)
{
    return kind == BLACK_TINT ? 3 * OF_TINT : OF_TINT;
}

static void add_tint(const Hatching *hatching, ptrdiff_t y, int kind)
{
    const Mask *row = &hatching->row;
    take_line(row, 0, hatching->line);
    const uint64_t *large = row_of(hatching->large, y);
    for (ptrdiff_t word = 0; word < row->stride; word++)
        row->words[row->stride + word] |= row->words[word] & (kind == PALE_TINT ? large[word] : UINT64_MAX);
}

/* Sets row 1 to the pixels of this row that are black for their tint. */
static void mark_by_rows(const Hatching *hatching, ptrdiff_t y, const uint8_t shown[TINT_KINDS])
{
    ptrdiff_t width = hatching->band->size.width;
    for (int kind = 0; kind < TINT_KINDS; kind++)
        if (shown[kind] && hatching->least[kind] <= hatching->most[kind]) {
            mark_tint(hatching->line, hatching->level + y * width, hatching->band->under_tone + y * width,
                      hatching->least[kind], hatching->most[kind], (uint8_t)reach_of(kind), width);
            add_tint(hatching, y, kind);
        }
}

/* Whether the octets of a piece, ``step`` for each pixel, are those of one pixel. */
static int is_even(const uint8_t *octets, size_t step)
{
    return memcmp(octets, octets + step, (PIECE - 1) * step) == 0;
}

static int pattern_of(const Hatching *hatching, uint16_t key)
{
    int place = hatching->places[key];
    return place ? hatching->band->ground->colours[place - 1].pattern : LYING;
}

/* The same for a page on which some tints have other patterns than horizontal lines. */
static void mark_by_patterns(const Hatching *hatching, ptrdiff_t y, const uint8_t shown[TINT_KINDS], uint8_t lightest)
{
    const Band *band = hatching->band;
    ptrdiff_t width = band->size.width;
    const uint8_t *level = hatching->level + y * width, *tone = band->under_tone + y * width;
    const uint8_t *pixels = band->from.pixels + y * band->from.stride;
    uint8_t distances[PATTERNS][LINES_APART];
    take_distances(distances, band, y);
    uint16_t known = key_of(pixels);
    int pattern = pattern_of(hatching, known);
    for (ptrdiff_t x = 0, count; x < width; x += count) {
        int is_piece = x % PIECE == 0 && x + PIECE <= width;
        if (is_piece && is_lighter(level + x, lightest)) {
            memset(hatching->line + x, 0, PIECE);
            count = PIECE;
            continue;
        }
        count = is_piece && is_even(level + x, 1) && is_even(tone + x, 1) && is_even(pixels + 4 * x, 4) ? PIECE : 1;
        int kind = hatching->kinds[level[x]], solid = kind == BLACK_TINT, lines = shown[kind];
        int of_tint = abs(tone[x] - level[x]) <= reach_of(kind);
        const uint8_t *distance = NULL; /* by phase; NULL for lines that lie */
        if (kind > 0 && !solid) {
            uint16_t key = key_of(pixels + 4 * x);
            pattern = key == known ? pattern : pattern_of(hatching, key); /* that of the pixel before, mostly */
            known = key;
            distance = pattern == LYING ? NULL : distances[pattern];
        }
        for (ptrdiff_t at = x; at < x + count; at++) {
            if (distance != NULL)
                lines = distance[hatching->phases[at]] * TINTS[kind].of < LINES_APART * TINTS[kind].black;
            hatching->line[at] = lines && of_tint && (kind != PALE_TINT || is_marked(hatching->large, at, y));
        }
    }
    add_tint(hatching, y, TINT_KINDS);
}

WIDE static void mark_toned(uint8_t *restrict line, const uint8_t *restrict level, uint8_t below, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = level[x] < below;
}

static int is_solid(const Hatching *hatching, ptrdiff_t x, ptrdiff_t y)
{
    return hatching->kinds[hatching->level[y * hatching->band->size.width + x]] == BLACK_TINT;
}

/* Whether type that a tint keeps away from, of which ``x`` is the nearest pixel, stands on a tint, too. It does not
 * beside the key of a legend. */
static int stands_on_tint(const Hatching *hatching, ptrdiff_t x, ptrdiff_t y, int towards)
{
    const Band *band = hatching->band;
    ptrdiff_t width = band->size.width, at = x + towards * (pixels_across(band, CLEAR_ACROSS) / 2 + 1);
    if (x < 0 || x >= width || !is_marked(hatching->clear, x, y))
        return 0;
    at = at < 0 ? 0 : at < width ? at : width - 1;
    return hatching->kinds[hatching->level[y * width + at]] != WHITE_TINT;
}

/* Adds the lines of one row to ``black``. Short ones between type are left out unless they are of a black area or end
 * at one. */
static void hatch_row(const Hatching *hatching, const Mask *black, ptrdiff_t y)
{
    const Band *band = hatching->band;
    ptrdiff_t width = band->size.width;
    uint8_t shown[TINT_KINDS], lightest = shown_in(hatching, y, shown);
    const Mask *row = &hatching->row;
    uint64_t *on = row_of(row, 1);
    int shortest = pixels_across(band, SHORTEST_LINE);
    memset(on, 0, (size_t)row->stride * sizeof *on);
    if (hatching->places != NULL)
        mark_by_patterns(hatching, y, shown, lightest);
    else
        mark_by_rows(hatching, y, shown);
    memset(row_of(row, 2), 0, (size_t)row->stride * sizeof *on);
    if (any_in_row(hatching->clear, y)) {
        mark_toned(hatching->line, hatching->level + y * width, BLACKEST, width);
        take_line(row, 2, hatching->line);
    }
    for (ptrdiff_t word = 0; word < row->stride; word++) {
        uint64_t clear = row_of(hatching->clear, y)[word] & ~row_of(row, 2)[word];
        on[word] &= ~(row_of(&band->photo, y)[word] | clear);
        row_of(black, y)[word] |= on[word];
    }
    for (ptrdiff_t x = next_marked(row, 1, 0); x < width;) {
        ptrdiff_t end = next_unmarked(row, 1, x);
        if (end < width && end - x < shortest && !is_solid(hatching, x, y) && !is_solid(hatching, end - 1, y)
            && !is_solid(hatching, end, y)
            && (stands_on_tint(hatching, end, y, 1) || stands_on_tint(hatching, x - 1, y, -1)))
            unmark_run(black, y, x, end);
        x = end < width ? next_marked(row, 1, end) : width;
    }
}

/* Marks pixels that differ by STEP or more from those two to the left or two above; returns whether there are any. */
WIDE static int mark_steps(uint8_t *restrict steps, const uint8_t *here, const uint8_t *left, const uint8_t *above,
                           ptrdiff_t count)
{
    uint8_t some = 0;
    for (ptrdiff_t x = 0; x < count; x++) {
        uint8_t across = difference(here[x], left[x]);
        uint8_t down = difference(here[x], above[x]);
        steps[x] = (across >= STEP) | (down >= STEP);
        some |= steps[x];
    }
    return some;
}

/* Whether the darker of two areas is seen at its pixel, and not a gap in it or in its row of areas. */
static int is_seen(const Band *band, const uint8_t *level, ptrdiff_t here, ptrdiff_t other)
{
    ptrdiff_t at = level[here] < level[other] ? here : other;
    return band->under_tone[at] - level[at] < GAP_LIGHTER;
}

/* Whether a line may part two tints: also two that are drawn alike, such as sectors of a chart, unless white or black. */
static int may_meet(int kind, int other)
{
    return kind != other || (kind != WHITE_TINT && kind != BLACK_TINT);
}

/* Draws lines between tints, but not near type; those of pale tints, such as a watermark, keep off further
 * (``pale_near``). */
static void outline(const Band *band, const Mask *black, const uint8_t *level, const Mask *near_type,
                    const Mask *pale_near, const uint8_t *kinds)
{
    ptrdiff_t width = band->size.width;
    uint8_t steps[PIECE];
    for (ptrdiff_t y = 2; y < band->size.rows; y++)
        for (ptrdiff_t begun = 2; begun < width; begun += PIECE) {
            ptrdiff_t first = y * width + begun, count = width - begun < PIECE ? width - begun : PIECE;
            if (!mark_steps(steps, level + first, level + first - 2, level + first - 2 * width, count))
                continue;
            for (ptrdiff_t each = 0; each < count; each++) {
                ptrdiff_t at = first + each, x = begun + each;
                if (!steps[each] || is_marked(&band->photo, x, y) || is_marked(near_type, x, y))
                    continue;
                int here = level[at], left = level[at - 2], above = level[at - 2 * width], kind = kinds[here];
                if (is_marked(pale_near, x, y) && kind <= PALE_TINT && kinds[left] <= PALE_TINT
                    && kinds[above] <= PALE_TINT)
                    continue;
                if ((may_meet(kind, kinds[left]) && abs(here - left) >= STEP && level[at - 1] != here
                     && is_seen(band, level, at, at - 2))
                    || (may_meet(kind, kinds[above]) && abs(here - above) >= STEP && level[at - width] != here
                        && is_seen(band, level, at, at - 2 * width)))
                    mark(black, x, y);
            }
        }
}

/* Adds to ``large`` the pale pixels of this row that mean something, however small their area is. */
static void add_telling(const Hatching *hatching, const Mask *large, ptrdiff_t y)
{
    const Band *band = hatching->band;
    ptrdiff_t width = band->size.width;
    const uint8_t *level = hatching->level + y * width, *pixel = band->from.pixels + y * band->from.stride;
    uint8_t least = hatching->least[PALE_TINT], most = hatching->most[PALE_TINT];
    for (ptrdiff_t x = 0; x < width; x++, pixel += band->from.channels) {
        if (level[x] < least || level[x] > most)
            continue;
        int vivid = 0;
        for (int each = 0; each < 3 && band->from.channels == 4; each++)
            vivid |= abs(pixel[each] - pixel[(each + 1) % 3]) >= VIVID;
        if (vivid || level[x] < PALER)
            mark(large, x, y);
    }
}

static int hatch_rows(const Hatching *hatching, const Mask *black, const Mask *large, const Mask *near_type)
{
    const Band *band = hatching->band;
    if (only_runs(large, pixels_across(band, SMALL), pixels_down(band, SMALL)) < 0)
        return -1;
    for (ptrdiff_t y = 0; y < band->size.rows; y++) {
        add_telling(hatching, large, y);
        hatch_row(hatching, black, y);
    }
    const Mask *pale_near = large;
    copy_mask(pale_near, near_type);
    if (widen_scaled(band, pale_near, FARTHER, FARTHER) < 0)
        return -1;
    outline(band, black, hatching->level, near_type, pale_near, hatching->kinds);
    part_hues(band, black, hatching->level, near_type, hatching->kinds);
    return 0;
}

int hatch(const Band *band, const Mask *black, const uint8_t *level, const Mask *clear, const Mask *near_type)
{
    Size size = band->size;
    uint8_t kinds[256];
    Mask large = {0};
    Hatching hatching = {.band = band, .level = level, .clear = clear, .large = &large, .kinds = kinds};
    make_kinds(band, kinds);
    memset(hatching.least, 255, sizeof hatching.least);
    for (int value = 255; value >= 0; value--) {
        hatching.least[kinds[value]] = (uint8_t)value;
        hatching.most[kinds[value]] = hatching.most[kinds[value]] ? hatching.most[kinds[value]] : (uint8_t)value;
    }
    uint8_t white = 255; /* lowest level without a tint */
    while (white > 0 && kinds[white - 1] == 0)
        white--;
    hatching.line = new_line(size);
    int patterned = band->ground->patterned && band->from.channels == 4;
    if (patterned && (hatching.places = malloc(COLOUR_KEYS + (size_t)size.width)) != NULL) {
        take_places(hatching.places, band->ground);
        take_phases(hatching.phases = hatching.places + COLOUR_KEYS, band);
    }
    int failed = hatching.line == NULL || (patterned && hatching.places == NULL) || new_masks(&large, 1, size) < 0
                 || new_masks(&hatching.row, 1, (Size){size.width, 3}) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        mark_toned(hatching.line, level + y * size.width, white, size.width);
        take_line(&large, y, hatching.line);
    }
    if (!failed) {
        drop_mask(&large, &band->photo);
        if (any_marked(&large))
            failed = hatch_rows(&hatching, black, &large, near_type) < 0;
    }
    free(hatching.line);
    free(hatching.places);
    free_masks(&large);
    free_masks(&hatching.row);
    return failed ? -1 : 0;
}
