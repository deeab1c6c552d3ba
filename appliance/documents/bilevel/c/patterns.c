/* Gives tints of one level and different colours different patterns, so that a chart matches its legend. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* Colours with fewer sampled pixels (one in four) are not of a chart: 36 x 36 pixels. */
enum { LEAST_OF_COLOUR = 324 };

/* A page with more tints is no chart with a legend: a gradient has many. Nor is a colour of which fewer than this share
 * of the pixels are exactly alike: it is a part of a gradient. */
enum { MOST_TOLD_APART = 8, ALIKE_PERCENT = 50 };

/* Whether two pixels have the same key. */
static inline uint8_t have_one_key(const uint8_t *one, const uint8_t *other)
{
    enum { KEPT = 0xFF & ~((1 << (8 - COLOUR_BITS)) - 1) };
    static const uint8_t kept[4] = {KEPT, KEPT, KEPT, 0};
    uint32_t a, b, mask;
    memcpy(&a, one, sizeof a);
    memcpy(&b, other, sizeof b);
    memcpy(&mask, kept, sizeof mask);
    return ((a ^ b) & mask) == 0;
}

/* Red, green and blue of a pixel. */
static inline uint32_t exact_of(const uint8_t *pixel)
{
    return (uint32_t)(pixel[2] << 16 | pixel[1] << 8 | pixel[0]);
}

/* Marks which of at most TILE pixels of a row have the colour of those FLAT to the left and FLAT above. */
WIDE static void mark_flat(uint8_t *restrict flat, const uint8_t *restrict pixels, ptrdiff_t stride, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++) {
        const uint8_t *pixel = pixels + 4 * x;
        flat[x] = have_one_key(pixel, pixel - 4 * FLAT) & have_one_key(pixel, pixel - FLAT * stride);
    }
}

void note_colours(Ground *ground, const Band *band, Box within, int every, const uint8_t is_tint[256], uint8_t *places)
{
    const Pixels *from = &band->from;
    if (from->channels != 4 || ground->frequent_colours > MOST_TOLD_APART)
        return; /* see settle_patterns */
    ptrdiff_t left = within.left < FLAT ? FLAT : within.left, count = within.right - left;
    for (ptrdiff_t y = within.top - band->first; y < within.below - band->first; y += every) {
        if (y < FLAT)
            continue;
        const uint8_t *tones = band->tone + y * band->size.width + left;
        const uint8_t *pixels = from->pixels + y * from->stride + left * 4;
        uint8_t flat[TILE];
        if (count > 0 && !is_tint[tones[0]] && memcmp(tones, tones + 1, (size_t)(count - 1)) == 0)
            continue; /* most of a page: white */
        mark_flat(flat, pixels, from->stride, count);
        for (ptrdiff_t x = 0; x < count; x += 2) {
            if (!flat[x] || !is_tint[tones[x]])
                continue;
            uint16_t key = key_of(pixels + 4 * x);
            uint32_t exact = exact_of(pixels + 4 * x);
            if (places[key] == 0) {
                if (ground->colour_count == MOST_COLOURS)
                    continue;
                ground->colours[ground->colour_count++] = (Colour){.first = exact, .key = key, .level = tones[x]};
                places[key] = (uint8_t)ground->colour_count;
            }
            Colour *colour = ground->colours + places[key] - 1;
            colour->same += exact == colour->first;
            ground->frequent_colours += ++colour->count == LEAST_OF_COLOUR;
        }
    }
}

void take_places(uint8_t *places, const Ground *ground)
{
    memset(places, 0, COLOUR_KEYS);
    for (int each = 0; each < ground->colour_count; each++)
        places[ground->colours[each].key] = (uint8_t)(each + 1);
}

static int by_rank(const void *one, const void *other)
{
    const Colour *a = one, *b = other;
    int pale = (tint_of(b->level) == PALE_TINT) - (tint_of(a->level) == PALE_TINT);
    if (pale != 0)
        return pale;
    return a->count != b->count ? (a->count < b->count ? 1 : -1) : (int)a->key - (int)b->key;
}

/* Whether readers could not tell the patterns of two tints apart. */
static int are_alike(int one, int other)
{
    return one == other || (one + other == 2 * PALE_TINT + 1);
}

void settle_patterns(Ground *ground)
{
    int taken = 0;
    if (ground->frequent_colours > MOST_TOLD_APART)
        return;
    for (int each = 0; each < ground->colour_count; each++) {
        Colour colour = ground->colours[each];
        if (colour.count >= LEAST_OF_COLOUR && (uint64_t)colour.same * 100 >= (uint64_t)colour.count * ALIKE_PERCENT)
            ground->colours[taken++] = colour;
    }
    ground->colour_count = taken;
    qsort(ground->colours, (size_t)taken, sizeof *ground->colours, by_rank);
    for (int each = 0; each < taken; each++) {
        Colour *colour = ground->colours + each;
        int level = ground->turned ? 255 - colour->level : colour->level, used[PATTERNS] = {0};
        for (int before = 0; before < each; before++) {
            const Colour *other = ground->colours + before;
            int others = ground->turned ? 255 - other->level : other->level;
            used[other->pattern] += are_alike(tint_of(level), tint_of(others));
        }
        colour->pattern = LYING;
        for (int pattern = LYING + 1; pattern < PATTERNS && tint_of(level) != PALE_TINT; pattern++)
            if (used[pattern] < used[colour->pattern])
                colour->pattern = (uint8_t)pattern;
        ground->patterned |= colour->pattern != LYING;
    }
}

void take_phases(uint8_t *phases, const Band *band)
{
    for (ptrdiff_t x = 0; x < band->size.width; x++)
        phases[x] = (uint8_t)(x * 204 / band->ground->x_dpi % LINES_APART);
}

void take_distances(uint8_t distances[PATTERNS][LINES_APART], const Band *band, ptrdiff_t y)
{
    int down = (int)((y + band->first) * 196 / band->ground->y_dpi % LINES_APART);
    for (int phase = 0; phase < LINES_APART; phase++) {
        int rising = (phase + down) % LINES_APART, falling = (phase + LINES_APART - down) % LINES_APART;
        distances[UPRIGHT_LINES][phase] = (uint8_t)phase;
        distances[RISING][phase] = (uint8_t)rising;
        distances[FALLING][phase] = (uint8_t)falling;
        distances[CROSSED][phase] = (uint8_t)(2 * (rising < falling ? rising : falling));
    }
}
