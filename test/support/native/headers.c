/*
 * A native client of Spread for headers-native.test.ts. `open_envelope` is the function of docs/headers.md.
 *
 * headers parse: reads payloads in hexadecimal from standard input, and prints each as `describe` does.
 * headers talk DAEMON GROUP COUNT: joins a group, sends a plain message and a message in an envelope, and prints the next
 * COUNT messages of the group.
 */
#include "open_envelope.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef WITH_SPREAD
#include <sp.h>
#endif

static void print_hex(const char *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) printf("%02x", (unsigned char)bytes[i]);
}

static void print_header(const char *name, size_t name_len, const char *value, size_t value_len, void *user) {
  (void)user;
  printf(" ");
  print_hex(name, name_len);
  printf("=");
  print_hex(value, value_len);
}

/* Prints the payload and the headers in hexadecimal: `PAYLOAD NAME=VALUE NAME=VALUE`. */
static void describe(const unsigned char *bytes, size_t len) {
  size_t start = open_envelope(bytes, len, print_header, NULL);
  printf(" |");
  print_hex((const char *)bytes + start, len - start);
  printf("\n");
  fflush(stdout);
}

static int parse(void) {
  static char line[400000];
  static unsigned char bytes[200000];
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t len = 0;
    unsigned int byte;
    while (sscanf(line + 2 * len, "%2x", &byte) == 1) bytes[len++] = (unsigned char)byte;
    describe(bytes, len);
  }
  return 0;
}

#ifdef WITH_SPREAD
static int talk(char *daemon, char *group, int count) {
  static char payload[200000], groups[100][MAX_GROUP_NAME];
  char private_group[MAX_GROUP_NAME], sender[MAX_GROUP_NAME];
  const char enveloped[] = "\x89SPSH\r\n\x01\x00\x0a\x04lang\x00\x03" "C99" "from C with a header";
  mailbox box;
  int service, found, endian_mismatch, len;
  int16 type;
  if (SP_connect(daemon, "native", 0, 1, &box, private_group) != ACCEPT_SESSION) return 1;
  if (SP_join(box, group) != 0) return 2;
  while (count > 0) {
    service = 0;
    len = SP_receive(box, &service, sender, 100, &found, groups, &type, &endian_mismatch, sizeof payload, payload);
    if (len < 0) return 3;
    if (Is_reg_memb_mess(service) && strcmp(sender, group) == 0 && strcmp(groups[type], private_group) == 0) {
      static int has_sent = 0;
      if (has_sent) continue;
      has_sent = 1;
      if (SP_multicast(box, AGREED_MESS | SELF_DISCARD, group, 0, 14, "plain from C\r\n") < 0) return 4;
      if (SP_multicast(box, AGREED_MESS | SELF_DISCARD, group, 0, sizeof enveloped - 1, enveloped) < 0) return 4;
      printf("joined\n");
      fflush(stdout);
    }
    if (!Is_regular_mess(service)) continue;
    describe((unsigned char *)payload, (size_t)len);
    count--;
  }
  return SP_disconnect(box) == 0 ? 0 : 5;
}
#endif

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "parse") == 0) return parse();
#ifdef WITH_SPREAD
  if (argc == 5 && strcmp(argv[1], "talk") == 0) return talk(argv[2], argv[3], atoi(argv[4]));
#endif
  return 64;
}
