// Tells the format and hands on to the half that reads it.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

int cluster_fail(cluster_image_decoder *decoder, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(decoder->message, MESSAGE_LENGTH, format, arguments);
  va_end(arguments);
  return -1;
}

int cluster_check_size(cluster_image_decoder *decoder, int64_t width, int64_t height) {
  if (width < 1 || height < 1) return cluster_fail(decoder, "it has %lld x %lld pixels", (long long)width, (long long)height);
  if (width > decoder->limits.side || height > decoder->limits.side)
    return cluster_fail(decoder, "%lld x %lld pixels are more than %d on a side", (long long)width, (long long)height, decoder->limits.side);
  if (width * height > decoder->limits.pixels)
    return cluster_fail(decoder, "%lld x %lld pixels are more than %lld in all", (long long)width, (long long)height, (long long)decoder->limits.pixels);
  return 0;
}

cluster_image_decoder *cluster_image_create(const cluster_image_limits *limits) {
  cluster_image_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  decoder->limits = *limits;
  decoder->jpeg = cluster_jpeg_create(decoder);
  decoder->png = cluster_png_create(decoder);
  if (decoder->jpeg && decoder->png) return decoder;
  cluster_image_destroy(decoder);
  return NULL;
}

void cluster_image_destroy(cluster_image_decoder *decoder) {
  if (!decoder) return;
  if (decoder->jpeg) cluster_jpeg_destroy(decoder->jpeg);
  if (decoder->png) cluster_png_destroy(decoder->png);
  free(decoder);
}

static void close_image(cluster_image_decoder *decoder) {
  if (decoder->format == CLUSTER_JPEG) cluster_jpeg_close(decoder->jpeg);
  if (decoder->format == CLUSTER_PNG) cluster_png_close(decoder->png);
  decoder->format = 0;
}

int cluster_image_open(cluster_image_decoder *decoder, const uint8_t *data, size_t length, cluster_image_header *header) {
  close_image(decoder);
  decoder->message[0] = 0;
  memset(header, 0, sizeof *header);
  if (length == 0) return cluster_fail(decoder, "it is empty");
  // The second byte of a JPEG may be followed by any marker; with the third, text that begins with 0xFFD8 is no JPEG.
  if (length >= 3 && data[0] == 0xFF && data[1] == 0xD8 && data[2] == 0xFF) {
    decoder->format = header->format = CLUSTER_JPEG;
    return cluster_jpeg_open(decoder->jpeg, data, length, header);
  }
  if (length >= 8 && memcmp(data, png_signature, 8) == 0) {
    decoder->format = header->format = CLUSTER_PNG;
    return cluster_png_open(decoder->png, data, length, header);
  }
  return cluster_fail(decoder, "it is neither a JPEG nor a PNG");
}

int cluster_image_start(cluster_image_decoder *decoder, int divisor, int x, int y, int width, int height, cluster_image_rows *rows) {
  if (decoder->format == CLUSTER_JPEG) return cluster_jpeg_start(decoder->jpeg, divisor, x, y, width, height, rows);
  if (decoder->format == CLUSTER_PNG) return cluster_png_start(decoder->png, divisor, x, y, width, height, rows);
  return cluster_fail(decoder, "no image is open");
}

int cluster_image_read(cluster_image_decoder *decoder, uint8_t *destination, size_t pitch, int count) {
  if (decoder->format == CLUSTER_JPEG) return cluster_jpeg_read(decoder->jpeg, destination, pitch, count);
  if (decoder->format == CLUSTER_PNG) return cluster_png_read(decoder->png, destination, pitch, count);
  return cluster_fail(decoder, "no image is open");
}

int cluster_image_finish(cluster_image_decoder *decoder) {
  int result = 0;
  if (decoder->format == CLUSTER_JPEG) result = cluster_jpeg_finish(decoder->jpeg);
  if (decoder->format == CLUSTER_PNG) result = cluster_png_finish(decoder->png);
  close_image(decoder);
  return result;
}

const char *cluster_image_error(const cluster_image_decoder *decoder) { return decoder->message; }
