#ifndef CLUSTER_IMAGE_INTERNAL_H
#define CLUSTER_IMAGE_INTERNAL_H

#include <setjmp.h>
#include <stdio.h>

#include "cluster_image.h"

#define MESSAGE_LENGTH 256

typedef struct jpeg_half jpeg_half;
typedef struct png_half png_half;

struct cluster_image_decoder {
  cluster_image_limits limits;
  int format;  // of the open image, else 0
  jpeg_half *jpeg;
  png_half *png;
  char message[MESSAGE_LENGTH];
};

// printf into the decoder's message; returns -1.
int cluster_fail(cluster_image_decoder *decoder, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Compares a header with the limits.
int cluster_check_size(cluster_image_decoder *decoder, int64_t width, int64_t height);

jpeg_half *cluster_jpeg_create(cluster_image_decoder *decoder);
void cluster_jpeg_destroy(jpeg_half *half);
void cluster_jpeg_close(jpeg_half *half);
int cluster_jpeg_open(jpeg_half *half, const uint8_t *data, size_t length, cluster_image_header *header);
int cluster_jpeg_start(jpeg_half *half, int divisor, int x, int y, int width, int height, cluster_image_rows *rows);
int cluster_jpeg_read(jpeg_half *half, uint8_t *destination, size_t pitch, int count);
int cluster_jpeg_finish(jpeg_half *half);

png_half *cluster_png_create(cluster_image_decoder *decoder);
void cluster_png_destroy(png_half *half);
void cluster_png_close(png_half *half);
int cluster_png_open(png_half *half, const uint8_t *data, size_t length, cluster_image_header *header);
int cluster_png_start(png_half *half, int divisor, int x, int y, int width, int height, cluster_image_rows *rows);
int cluster_png_read(png_half *half, uint8_t *destination, size_t pitch, int count);
int cluster_png_finish(png_half *half);

#endif
