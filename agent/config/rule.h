/* rule: which characters a name may have. Each gives NULL when the text is fine, else what is wrong
 * with it, to be put behind the text. */
#ifndef HOLDFAST_CONFIG_RULE_H
#define HOLDFAST_CONFIG_RULE_H

#include <holdfast/base.h>

const char *
hf_rule_name(const char *text); /* letters, digits and . _ -, begins with a letter or digit */
const char *hf_rule_region(const char *text);
const char *hf_rule_account(const char *text);
const char *hf_rule_organization(const char *text);
const char *hf_rule_bucket(const char *text);
const char *hf_rule_prefix(const char *text);
const char *hf_rule_header(const char *text);    /* what may be sent as a header's value */
const char *hf_rule_origin(const char *text);    /* SCHEME://HOST[:PORT], nothing else */
const char *hf_rule_directory(const char *path); /* of a dir store */
const char *hf_rule_loopback(const char *text);  /* ADDRESS:PORT of the loopback */
bool hf_is_ipv4(const char *text, size_t size);

#endif
