/* What coding and decoding have in common. */
#ifndef FAXBOX_MMR_H
#define FAXBOX_MMR_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define MOST_ROWS (1 << 26)             /* of a page */
#define MOST_WIDTH (1 << 26)            /* pixels, as a page has at the most; the widest scan line of T.30 has 4864 */

/* Changes at the width of the row, put behind the last one so that a search for the next change ends. */
#define SENTINELS 4

static inline uint64_t eight(const uint8_t *from, Py_ssize_t octets)
{
    uint64_t word = 0;
    for (Py_ssize_t at = 0; at < 8; at++)
        word = word << 8 | (at < octets ? from[at] : 0);
    return word;
}

/* Sets `changes` to the pixels before which the colour changes, beginning with white, and sentinels. */
static inline void find_changes(const uint8_t *row, int32_t width, int32_t *changes)
{
    Py_ssize_t octets = (width + 7) / 8, count = 0;
    uint64_t last = 0;
    for (Py_ssize_t at = 0; at < octets; at += 8) {
        uint64_t word = eight(row + at, octets - at), change = word ^ (word >> 1 | last << 63);
        last = word & 1;
        while (change) {
            int bit = __builtin_clzll(change);
            int32_t pixel = (int32_t)(8 * at) + bit;
            if (pixel >= width)
                break;
            changes[count++] = pixel;
            change &= ~(UINT64_C(1) << 63 >> bit);
        }
    }
    for (int more = 0; more < SENTINELS; more++)
        changes[count + more] = width;
}

/* encode.c */
PyObject *py_encode(PyObject *module, PyObject *args);

/* decode.c */
PyObject *py_decode(PyObject *module, PyObject *args);
PyObject *py_decode_row(PyObject *module, PyObject *args);

#endif
