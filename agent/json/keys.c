/* Top-level keys: which of them are CloudTrail's, and with which of them a reader could see another
 * event than we do.
 *
 * Readers differ in which of two equal keys they take, and some look at keys without regard to case
 * (Athena's table, Go's encoding/json): whoever writes "eventID" and "EventID" in one event, or
 * "holdfast" into his own, speaks to each of them differently. So keys are compared decoded and
 * folded. The usual key costs a look at its size, one or two of its bytes and one comparison; only
 * one with escapes, or that is not ASCII, is decoded. */
#include <string.h>

#include "json_impl.h"

#define OTHER 0x80 /* a character that no name has */

/* Behind the members that are picked out: those that are not, but must not stand twice. */
enum name {
    USER_AGENT = HF_JSON_MEMBERS,
    ERROR_CODE,
    ERROR_MESSAGE,
    ADDITIONAL_EVENT_DATA,
    REQUEST_ID,
    API_VERSION,
    MANAGEMENT_EVENT,
    READ_ONLY,
    RESOURCES,
    SERVICE_EVENT_DETAILS,
    SHARED_EVENT_ID,
    VPC_ENDPOINT_ID,
    VPC_ENDPOINT_ACCOUNT_ID,
    ADDENDUM,
    SESSION_CREDENTIAL_FROM_CONSOLE,
    EVENT_CONTEXT,
    EDGE_DEVICE_DETAILS,
    TLS_DETAILS,
    INSIGHT_DETAILS,
    HOLDFAST,
    NAMES,
};
_Static_assert(NAMES <= 64, "one bit each in hf_json_scan.names");

const char *const hf_json_member_names[HF_JSON_MEMBERS] = {
    [HF_JSON_EVENT_VERSION] = "eventVersion",
    [HF_JSON_USER_IDENTITY] = "userIdentity",
    [HF_JSON_EVENT_TIME] = "eventTime",
    [HF_JSON_EVENT_SOURCE] = "eventSource",
    [HF_JSON_EVENT_NAME] = "eventName",
    [HF_JSON_AWS_REGION] = "awsRegion",
    [HF_JSON_SOURCE_IP_ADDRESS] = "sourceIPAddress",
    [HF_JSON_REQUEST_PARAMETERS] = "requestParameters",
    [HF_JSON_RESPONSE_ELEMENTS] = "responseElements",
    [HF_JSON_EVENT_ID] = "eventID",
    [HF_JSON_EVENT_TYPE] = "eventType",
    [HF_JSON_RECIPIENT_ACCOUNT_ID] = "recipientAccountId",
    [HF_JSON_EVENT_CATEGORY] = "eventCategory",
};

static const char *const other_names[NAMES - HF_JSON_MEMBERS] = {
    [USER_AGENT - HF_JSON_MEMBERS] = "userAgent",
    [ERROR_CODE - HF_JSON_MEMBERS] = "errorCode",
    [ERROR_MESSAGE - HF_JSON_MEMBERS] = "errorMessage",
    [ADDITIONAL_EVENT_DATA - HF_JSON_MEMBERS] = "additionalEventData",
    [REQUEST_ID - HF_JSON_MEMBERS] = "requestID",
    [API_VERSION - HF_JSON_MEMBERS] = "apiVersion",
    [MANAGEMENT_EVENT - HF_JSON_MEMBERS] = "managementEvent",
    [READ_ONLY - HF_JSON_MEMBERS] = "readOnly",
    [RESOURCES - HF_JSON_MEMBERS] = "resources",
    [SERVICE_EVENT_DETAILS - HF_JSON_MEMBERS] = "serviceEventDetails",
    [SHARED_EVENT_ID - HF_JSON_MEMBERS] = "sharedEventID",
    [VPC_ENDPOINT_ID - HF_JSON_MEMBERS] = "vpcEndpointId",
    [VPC_ENDPOINT_ACCOUNT_ID - HF_JSON_MEMBERS] = "vpcEndpointAccountId",
    [ADDENDUM - HF_JSON_MEMBERS] = "addendum",
    [SESSION_CREDENTIAL_FROM_CONSOLE - HF_JSON_MEMBERS] = "sessionCredentialFromConsole",
    [EVENT_CONTEXT - HF_JSON_MEMBERS] = "eventContext",
    [EDGE_DEVICE_DETAILS - HF_JSON_MEMBERS] = "edgeDeviceDetails",
    [TLS_DETAILS - HF_JSON_MEMBERS] = "tlsDetails",
    [INSIGHT_DETAILS - HF_JSON_MEMBERS] = "insightDetails",
    [HOLDFAST - HF_JSON_MEMBERS] = "holdfast",
};
#define NAME_MAX_SIZE 28 /* sessionCredentialFromConsole */

static const char *
name_text(unsigned name)
{
    return name < HF_JSON_MEMBERS ? hf_json_member_names[name]
                                  : other_names[name - HF_JSON_MEMBERS];
}

static uint8_t
lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* Length and one or two bytes, in any case, leave at most one candidate. */
static unsigned
candidate(const uint8_t *key, size_t size)
{
    switch (size) {
    case 7: return HF_JSON_EVENT_ID;
    case 8:
        switch (lower(key[0])) {
        case 'r': return READ_ONLY;
        case 'a': return ADDENDUM;
        default: return HOLDFAST;
        }
    case 9:
        switch (lower(key[0])) {
        case 'a': return HF_JSON_AWS_REGION;
        case 'u': return USER_AGENT;
        case 'r': return lower(key[2]) == 'q' ? REQUEST_ID : RESOURCES;
        default: break;
        }
        switch (lower(key[6])) {
        case 'o': return ERROR_CODE;
        case 'a': return HF_JSON_EVENT_NAME;
        case 'i': return HF_JSON_EVENT_TIME;
        default: return HF_JSON_EVENT_TYPE;
        }
    case 10: return lower(key[0]) == 'a' ? API_VERSION : TLS_DETAILS;
    case 11: return HF_JSON_EVENT_SOURCE;
    case 12:
        if (lower(key[0]) == 'u')
            return HF_JSON_USER_IDENTITY;
        switch (lower(key[5])) {
        case 'v': return HF_JSON_EVENT_VERSION;
        case 'c': return EVENT_CONTEXT;
        default: return ERROR_MESSAGE;
        }
    case 13:
        switch (lower(key[0])) {
        case 'e': return HF_JSON_EVENT_CATEGORY;
        case 's': return SHARED_EVENT_ID;
        default: return VPC_ENDPOINT_ID;
        }
    case 14: return INSIGHT_DETAILS;
    case 15: return lower(key[0]) == 's' ? HF_JSON_SOURCE_IP_ADDRESS : MANAGEMENT_EVENT;
    case 16: return HF_JSON_RESPONSE_ELEMENTS;
    case 17: return lower(key[0]) == 'r' ? HF_JSON_REQUEST_PARAMETERS : EDGE_DEVICE_DETAILS;
    case 18: return HF_JSON_RECIPIENT_ACCOUNT_ID;
    case 19: return lower(key[0]) == 'a' ? ADDITIONAL_EVENT_DATA : SERVICE_EVENT_DETAILS;
    case 20: return VPC_ENDPOINT_ACCOUNT_ID;
    case 28: return SESSION_CREDENTIAL_FROM_CONSOLE;
    default: return NAMES;
    }
}

static bool
same_folded(const uint8_t *key, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (lower(key[i]) != lower((uint8_t)text[i]))
            return false;
    return true;
}

/* ---- what is written with escapes, or in other letters ---- */

/* Some reader's upper or lower case of each is an ASCII letter (Java's equalsIgnoreCase, Go's
 * EqualFold). */
static uint8_t
folded(unsigned character)
{
    switch (character) {
    case 0x130:
    case 0x131: return 'i';
    case 0x17f: return 's';
    case 0x212a: return 'k';
    default: return character < 0x80 ? (uint8_t)character : OTHER;
    }
}

/* The next character of a valid string, unescaped; ASCII, or what it folds into, or OTHER.
 * *ret_exact: it is that character itself. */
static const uint8_t *
next_character(const uint8_t *at, uint8_t *ret_character, bool *ret_exact)
{
    unsigned character = *at++;
    if (character == '\\') {
        uint8_t unit[2] = { 0, OTHER };
        character = *at++;
        if (character == 'u') {
            hf_assert(hf_unhex((const char *)at, 4, unit, sizeof(unit)));
            character = (unsigned)unit[0] << 8 | unit[1];
            at += 4;
        } else if (character != '"' && character != '\\' && character != '/') {
            character = OTHER; /* a control */
        }
    } else if (character >= 0xc0) {
        unsigned more = 1 + (character >= 0xe0) + (character >= 0xf0);
        for (character &= 0x3fu >> more; more > 0; more--)
            character = character << 6 | (*at++ & 0x3f);
    }
    *ret_character = folded(character);
    *ret_exact = character < 0x80;
    return at;
}

/* Without its escapes, as far as it may be a name at all; else 0. A NUL ends it, as it does for a
 * reader written in C. */
static size_t
decode(const uint8_t *key, size_t size, uint8_t ret_plain[NAME_MAX_SIZE], bool *ret_exact)
{
    const uint8_t *end = key + size;
    size_t used = 0;
    *ret_exact = true;
    while (key < end) {
        uint8_t character;
        bool exact;
        key = next_character(key, &character, &exact);
        *ret_exact &= exact && character != '\0';
        if (character == '\0')
            break;
        if (character == OTHER || used == NAME_MAX_SIZE)
            return 0;
        ret_plain[used++] = character;
    }
    return used;
}

/* ---- the contract ---- */

struct hf_slice *
hf_json_key(struct hf_json_scan *scan, const uint8_t *key, size_t size, bool odd)
{
    uint8_t plain[NAME_MAX_SIZE];
    bool exact = true;
    if (odd) {
        size = decode(key, size, plain, &exact);
        key = plain;
    }
    unsigned name = candidate(key, size);
    if (name == NAMES)
        return NULL;
    const char *text = name_text(name);
    if (memcmp(key, text, size) != 0) {
        if (!same_folded(key, text, size))
            return NULL;
        exact = false;
    }
    if (name == HOLDFAST)
        scan->doubt = "it has a member holdfast of its own";
    else if (scan->names >> name & 1)
        scan->doubt = "a member of CloudTrail's stands in it twice";
    else if (!exact && name < HF_JSON_MEMBERS)
        scan->doubt = "a member of CloudTrail's is written in another case";
    scan->names |= 1ull << name;
    return exact && name < HF_JSON_MEMBERS ? &scan->member[name] : NULL;
}

bool
hf_json_names_holdfast(struct hf_slice string)
{
    static const char wanted[] = ".holdfast";
    enum { SIZE = sizeof(wanted) - 1 };
    uint8_t last[SIZE] = { '.' }; /* as if a '.' stood in front of it */
    size_t used = 1;
    if (!hf_json_is_string(string))
        return false;
    const uint8_t *at = string.ptr + 1, *end = string.ptr + string.size - 1;
    bool plain = string.size > 2 + SIZE && !memchr(at, '\\', string.size - 2);
    for (const uint8_t *look = plain ? end - SIZE : end; plain && look < end; look++)
        plain = *look < 0x80;
    if (plain)
        return same_folded(end - SIZE, wanted, SIZE);
    while (at < end) {
        bool exact;
        uint8_t character;
        at = next_character(at, &character, &exact);
        if (character == '\0')
            break;
        if (used == SIZE)
            memmove(last, last + 1, --used);
        last[used++] = character;
    }
    return used == SIZE && same_folded(last, wanted, SIZE);
}

bool
hf_json_ascii(struct hf_slice string, char *ret_text, size_t size)
{
    size_t used = 0;
    if (!hf_json_is_string(string))
        return false;
    const uint8_t *at = string.ptr + 1, *end = string.ptr + string.size - 1;
    while (at < end) {
        uint8_t character;
        bool exact;
        at = next_character(at, &character, &exact);
        if (!exact || character < ' ' || used + 1 >= size)
            return false;
        ret_text[used++] = (char)character;
    }
    ret_text[used] = '\0';
    return true;
}
