/* A client of a socket source: says bytes, and hears exactly what it is told. */
#ifndef HOLDFAST_TEST_INTAKE_CLIENT_H
#define HOLDFAST_TEST_INTAKE_CLIENT_H

#include "help.h"

struct client {
    struct rig *rig;
    int fd;
    char in[4096];
    size_t size;
    bool closed;
};

struct client client_new(struct rig *rig); /* of "in.sock" */
struct client client_of(struct rig *rig, const char *name);
void hang_up(struct client *client);
void say_bytes(struct client *client, const char *bytes,
               size_t size); /* turns the loop meanwhile */
void say(struct client *client, const char *text);
void listen_once(struct client *client); /* takes what is there, without waiting */
/* Everything heard until now is exactly this; then it is forgotten. */
void hear(struct client *client, const char *text);
/* Acknowledgements may come in steps: this one in the end. */
void hear_last(struct client *client, const char *text);
void until_closed(struct client *client);

#endif
