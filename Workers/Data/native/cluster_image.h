// Rows of a region of an encoded image, four bytes to a pixel: red, green, blue, and one without meaning.
// A decoder serves one thread at a time and any number of images after each other:
//   open -> start -> read … read -> finish        or, at any point, open again
// The encoded bytes belong to the caller and must stay where they are from open to finish.
// A call that fails returns -1, and cluster_image_error says why in one line.
#ifndef CLUSTER_IMAGE_H
#define CLUSTER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CLUSTER_API __attribute__((visibility("default")))
#else
#define CLUSTER_API
#endif

enum { CLUSTER_JPEG = 1, CLUSTER_PNG = 2 };

// Beyond these nothing is allocated or decoded.
typedef struct {
  int64_t pixels;
  int32_t side;
  int32_t scans;
} cluster_image_limits;

typedef struct {
  int32_t format;
  int32_t width;
  int32_t height;
  int32_t channels;     // as stored: 1, 3 or 4 of a JPEG; 1 to 4 of a PNG, a palette is 1
  int32_t progressive;  // or interlaced
} cluster_image_header;

// What read delivers: rows that begin left of the region that was asked for.
typedef struct {
  int32_t width;  // pixels of a row
  int32_t skip;   // of which so many lie left of the region
} cluster_image_rows;

typedef struct cluster_image_decoder cluster_image_decoder;

CLUSTER_API cluster_image_decoder *cluster_image_create(const cluster_image_limits *limits);
CLUSTER_API void cluster_image_destroy(cluster_image_decoder *decoder);

// Reads the header; the format is told by the content.
CLUSTER_API int cluster_image_open(cluster_image_decoder *decoder, const uint8_t *data, size_t length, cluster_image_header *header);

// divisor: 1, 2, 4 or 8 for a JPEG, 1 for a PNG. The region counts in pixels of the image that is divisor times smaller, rounded up.
CLUSTER_API int cluster_image_start(cluster_image_decoder *decoder, int divisor, int x, int y, int width, int height, cluster_image_rows *rows);

// The next rows of the region, `pitch` bytes apart; no more than the region has left.
CLUSTER_API int cluster_image_read(cluster_image_decoder *decoder, uint8_t *destination, size_t pitch, int count);

// Ends the image. What lies behind the region is read where it must tell whether the file is whole.
CLUSTER_API int cluster_image_finish(cluster_image_decoder *decoder);

CLUSTER_API const char *cluster_image_error(const cluster_image_decoder *decoder);

// Makes a JPEG of rows of four bytes a pixel, `pitch` bytes apart; the fourth byte is not looked at. Free what it gives.
CLUSTER_API int cluster_image_encode(const uint8_t *pixels, int width, int height, size_t pitch, int quality, uint8_t **encoded, size_t *length);
CLUSTER_API void cluster_image_free(uint8_t *encoded);

#endif
