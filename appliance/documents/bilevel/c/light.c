/* Finds light type on a dark ground in rasters, where the document does not tell what is type. */
#include "light_grounds.h"

#include <stdlib.h>
#include <string.h>

/* Light type is no line of LONGEST_LINE pixels or more, and within LIGHT_AROUND x LIGHT_AROUND pixels there are more
 * than FEWEST of it and 1.5 times as many as of dark ink. */
enum { LONGEST_LINE = 48, LIGHT_AROUND = 41, WHITE_PAPER = 225, FEWEST = 8, LINE_RIM = 5 };
/* Nor is a pixel that lies in a square of AREA x AREA pixels of which none is LIGHTER levels darker: it is of a light
 * area beside a dark one. Nor are slanting and bent lines, see light_lines.c. */
/* Between light letters the closing is more than LIFTED levels lighter than the ground, so the ground was taken for
 * ink there. It is ground again unless more than SURELY_DARKER below the ground's level. In a scan what is less than
 * NOISE_DARKER below it is noise. */
enum { LIFTED = 20, OF_GROUND = 14, SURELY_DARKER = 60, NOISE_DARKER = 40 };
/* A ground must show somewhere within PATCH_REACH / 2 pixels, as a patch of PATCH x PATCH pixels at most OF_GROUND
 * levels lighter: wider than a stroke of small type. */
enum { PATCH = 9, PATCH_REACH = 91 };

WIDE static void mark_solid(uint8_t *restrict line, const uint8_t *restrict lightest, const uint8_t *restrict grounds,
                            ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (grounds[x] < GROUND_BELOW) & (lightest[x] <= (uint8_t)(grounds[x] + OF_GROUND));
}

/* Repeats each octet EVERY times. */
static void repeat_each(uint8_t *row, const uint8_t *small, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x + EVERY <= width; x += EVERY)
        memset(row + x, small[x / EVERY], EVERY);
    if (width % EVERY)
        memset(row + width / EVERY * EVERY, small[width / EVERY], (size_t)(width % EVERY));
}

typedef struct {
    Size small;
    int every;        /* rows that share a row of samples */
    uint8_t *medians; /* the ground of each sample, 255 where there is none */
    uint8_t *least;   /* the darkest ground within a sample's distance */
    uint8_t *grounds, *line, *other; /* scratch rows */
    uint8_t *height;  /* levels by which each pixel is lighter than its ground */
    const uint8_t *of; /* samples that ``grounds`` were made from */
    Mask light, lines, solid;
} Search;

/* Expands a row of ``medians`` (or ``least``) to pixels; kept for the rows that share it. */
static const uint8_t *grounds_of(Search *search, const uint8_t *medians, ptrdiff_t y, ptrdiff_t width)
{
    const uint8_t *of = medians + y / search->every * search->small.width;
    if (of != search->of)
        repeat_each(search->grounds, of, width);
    search->of = of;
    return search->grounds;
}

static int near_solid(const Band *band, Search *search)
{
    Size size = band->size;
    uint8_t *lightest = malloc((size_t)(size.width * size.rows));
    if (lightest == NULL)
        return -1;
    int failed = widen_light(lightest, band->under_tone, size, pixels_across(band, PATCH),
                             pixels_down(band, PATCH)) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        const uint8_t *grounds = grounds_of(search, search->medians, y, size.width);
        mark_solid(search->line, lightest + y * size.width, grounds, size.width);
        take_line(&search->solid, y, search->line);
    }
    free(lightest);
    return failed ? -1 : widen_mask(&search->solid, pixels_across(band, PATCH_REACH), pixels_down(band, PATCH_REACH));
}

WIDE static void take_height(uint8_t *restrict light, uint8_t *restrict height, const uint8_t *restrict grey,
                             const uint8_t *restrict grounds, const uint8_t *restrict photo, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t above = excess(grey[x], grounds[x]);
        height[x] = (grounds[x] < GROUND_BELOW) & (photo[x] == 0) ? above : 0;
        light[x] = height[x] > LIGHTER;
    }
}

static void mark_light(const Band *band, Search *search)
{
    Size size = band->size;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        const uint8_t *grounds = grounds_of(search, search->medians, y, size.width);
        put_line(&band->photo, y, search->other);
        take_height(search->line, search->height + y * size.width, band->under_tone + y * size.width, grounds,
                    search->other, size.width);
        take_line(&search->light, y, search->line);
    }
}

WIDE static void mark_area(uint8_t *restrict line, const uint8_t *restrict opened, const uint8_t *restrict grey,
                           ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (uint8_t)(grey[x] - opened[x]) <= LIGHTER;
}

/* Removes light areas from ``light``. */
static int drop_areas(const Band *band, Search *search)
{
    Size size = band->size;
    uint8_t *opened = malloc((size_t)(size.width * size.rows));
    Mask area = {0};
    int failed = opened == NULL || new_masks(&area, 1, size) < 0
                 || without_light(opened, band->under_tone, size, pixels_across(band, AREA),
                                  pixels_down(band, AREA)) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        if (any_in_row(&search->light, y)) {
            ptrdiff_t row = y * size.width;
            mark_area(search->line, opened + row, band->under_tone + row, size.width);
            take_line(&area, y, search->line);
        }
    if (!failed)
        drop_mask(&search->light, &area);
    free(opened);
    free_masks(&area);
    return failed ? -1 : 0;
}

WIDE static void mark_white(uint8_t *restrict line, const uint8_t *restrict grey, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = grey[x] >= WHITE_PAPER;
}

/* Sets ``lines`` to long light lines, including strips of paper between two bars, around which no ground was found. */
static int find_lines(const Band *band, const Search *search)
{
    Size size = band->size;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        mark_white(search->line, band->under_tone + y * size.width, size.width);
        take_line(&search->lines, y, search->line);
    }
    add_mask(&search->lines, &search->light);
    return only_runs(&search->lines, pixels_across(band, LONGEST_LINE), pixels_down(band, LONGEST_LINE)) < 0
                   || widen_mask(&search->lines, LINE_RIM, LINE_RIM) < 0
               ? -1
               : 0;
}

/* Marks pixels taken for ink between light letters (see LIFTED). Without branches, so that compilers vectorise it. */
WIDE static void mark_ground(uint8_t *restrict line, const uint8_t *restrict grounds, const uint8_t *restrict closed,
                             const uint8_t *restrict grey, int noise, ptrdiff_t width)
{
    int16_t noise_darker = (int16_t)(noise ? noise : -256); /* never less */
    for (ptrdiff_t x = 0; x < width; x++) {
        int16_t lifted = closed[x] - grounds[x], darker = grounds[x] - grey[x];
        uint8_t between = (lifted > LIFTED) & (darker <= SURELY_DARKER);
        line[x] = between | (darker < noise_darker);
    }
}

/* Sets ``may`` to what may be ground between light letters. */
static void find_between(const Band *band, Search *search, const Mask *may)
{
    Size size = band->size;
    int noise = band->ground->scanned ? NOISE_DARKER : 0;
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        if (!any_in_row(&search->solid, y))
            continue;
        const uint8_t *grounds = grounds_of(search, search->least, y, size.width);
        mark_ground(search->line, grounds, band->closed + y * size.width, band->under_tone + y * size.width, noise,
                    size.width);
        take_line(may, y, search->line);
    }
    keep_mask(may, &search->solid);
}

WIDE static void mark_more_light(uint8_t *restrict line, const uint16_t *restrict bright,
                                 const uint16_t *restrict black, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (bright[x] > FEWEST) & ((uint16_t)(2 * bright[x]) > (uint16_t)(3 * black[x]));
}

/* Sets ``more`` to where light type outnumbers dark ink. */
static int find_more_light(const Band *band, const Search *search, const Mask *light, const Mask *dark,
                           const Mask *more)
{
    Size size = band->size;
    Around bright = {0}, black = {0};
    int across = pixels_across(band, LIGHT_AROUND), down = pixels_down(band, LIGHT_AROUND);
    uint16_t *none = calloc((size_t)size.width, sizeof *none);
    int failed = begin_around(&bright, light, across, down) < 0 || begin_around(&black, dark, across, down) < 0
                 || none == NULL;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++) {
        const uint16_t *brights = next_around(&bright), *blacks = next_around(&black);
        if (brights == NULL)
            continue;
        mark_more_light(search->line, brights, blacks == NULL ? none : blacks, size.width);
        take_line(more, y, search->line);
    }
    free(none);
    end_around(&bright);
    end_around(&black);
    return failed ? -1 : 0;
}

/* The rim of a dark ground, up to RIM pixels wide and no more than OF_GROUND levels darker (NOISE_DARKER in a scan), is
 * taken for ink where no ground was sampled. It would keep the ground off, as type does. */
enum { RIM = EVERY + 2 };

WIDE static void mark_rim(uint8_t *restrict line, const uint8_t *restrict grounds, const uint8_t *restrict grey,
                          uint8_t darker, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (grounds[x] < DARK_BAR) & (grey[x] >= excess(grounds[x], darker));
}

/* Adds to ``between`` the rims that are connected to it. */
static int add_rims(const Band *band, Search *search, const Mask *between, const Mask *ink)
{
    Size size = band->size;
    uint8_t darker = band->ground->scanned ? NOISE_DARKER : OF_GROUND;
    Mask masks[2], *rims = masks, *of_ground = masks + 1;
    int reach = 2 * (RIM / EVERY + 1) + 1;
    if (new_masks(masks, 2, size) < 0)
        return -1;
    copy_mask(rims, between);
    int failed = widen_mask(rims, 2 * RIM + 1, 2 * RIM + 1) < 0
                 || widen_dark(search->least, search->medians, search->small, reach, reach) < 0;
    search->of = NULL;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        if (any_in_row(rims, y)) {
            mark_rim(search->line, grounds_of(search, search->least, y, size.width),
                     band->under_tone + y * size.width, darker, size.width);
            take_line(of_ground, y, search->line);
        }
    keep_mask(rims, ink);
    keep_mask(rims, of_ground);
    spread_mask(between, rims);
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Sets ``level`` to the ground's where ``ground`` is marked. */
static void level_between(Search *search, const Mask *ground, uint8_t *level)
{
    ptrdiff_t width = ground->size.width;
    for (ptrdiff_t y = 0; y < ground->size.rows; y++)
        if (any_in_row(ground, y)) {
            put_line(ground, y, search->line);
            take_where(level + y * width, grounds_of(search, search->least, y, width), search->line, width);
        }
}

static int decide(const Band *band, Search *search, const Mask *light, const Mask *ink, uint8_t *level)
{
    enum { BETWEEN, DARK, MORE, ALL };
    Mask masks[ALL], *between = masks + BETWEEN, *dark = masks + DARK, *more = masks + MORE;
    if (new_masks(masks, ALL, band->size) < 0)
        return -1;
    find_between(band, search, between);
    copy_mask(light, &search->light);
    drop_mask(light, &search->lines);
    copy_mask(dark, ink);
    drop_mask(dark, between);
    int failed = drop_thin_lines(band, light) < 0 || find_more_light(band, search, light, dark, more) < 0
                 || where_deep(light, search->height, band, LIGHTER / 2, LIGHT_SHARE) < 0;
    if (!failed) {
        keep_mask(light, more);
        keep_mask(between, more);
        failed = add_rims(band, search, between, ink) < 0;
        drop_mask(ink, between);
        level_between(search, between, level);
    }
    free_masks(masks);
    return failed ? -1 : 0;
}

static int search_light(const Band *band, Search *search, const Mask *light, const Mask *ink, uint8_t *level)
{
    Size size = band->size;
    search->grounds = new_line(size);
    search->line = new_line(size);
    search->other = new_line(size);
    search->height = malloc((size_t)(size.width * size.rows));
    Mask masks[3] = {0};
    int failed = search->grounds == NULL || search->line == NULL || search->other == NULL || search->height == NULL
                 || new_masks(masks, 3, size) < 0;
    search->light = masks[0];
    search->lines = masks[1];
    search->solid = masks[2];
    if (!failed) {
        mark_light(band, search);
        if (any_marked(&search->light))
            failed = near_solid(band, search) < 0;
        keep_mask(&search->light, &search->solid);
    }
    if (!failed && any_marked(&search->light))
        failed = drop_areas(band, search) < 0;
    if (!failed && any_marked(&search->light)) {
        failed = find_lines(band, search) < 0 || widen_dark(search->least, search->medians, search->small, 3, 3) < 0
                 || decide(band, search, light, ink, level) < 0;
    }
    free(search->grounds);
    free(search->line);
    free(search->other);
    free(search->height);
    free_masks(masks);
    return failed ? -1 : 0;
}

int find_light_type(const Band *band, const Mask *light, const Mask *ink, uint8_t *level)
{
    int every = rows_of_sample(band);
    Size size = band->size, small = {(size.width + EVERY - 1) / EVERY, (size.rows + every - 1) / every};
    size_t count = (size_t)(small.width * small.rows);
    uint8_t *medians = malloc(3 * count), *least = medians + count;
    int found = medians == NULL ? -1 : find_light_grounds(medians, least, small, band);
    if (found > 0) {
        Search search = {.small = small, .every = every, .medians = medians, .least = least};
        found = search_light(band, &search, light, ink, level);
    }
    free(medians);
    return found < 0 ? -1 : 0;
}
