/* Any bytes as a CMS envelope. The two keys are public here, as far as any key is in a test: what
 * was sealed to them (corpus/cms) opens, and whatever is changed in it, nothing else ever comes
 * out. */
#include "tests/fuzz/scratch.h"

#include <holdfast/crypto.h>

#define PLAIN "what stands in every envelope of the corpus\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgK4+sIVhRKb3gZhb4\n"
    "kZqWgoGvj+xAySvaU/Kpg40MFGOhRANCAAQyz5tSjuP0qZbiJUSTlGAwknLWNJay\n"
    "3FUNMxqzYrn6MSDvsXy0L4nwHuJOk5LDZ41IEkNfOuTG9h/l+EiTnFh4\n"
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDwkrpGEmtL0DFq\n"
    "Z2CO9sxKo6nTG1XuDjiivGGhsavVUWIS5wCsf6gFSjlIAhobOszdJovMfoWNI+pb\n"
    "Kxldkxgu3/Pl8dMsol2S314/Ny3VhvepVxXS4hDFYaqxYLz/nKTLpMwRY8HuEHTh\n"
    "Ypx1f/G4Lz0MaRNEzyQwI20MxxFGRdretslsfTX71nCn25IrGexU/aS1jpIaYPPb\n"
    "8nOJbix/4l8f7VCvO2e6NuL9RwCOdXHRiDqEdX6k1Ii+Du246NA5X7XFW7fAdR1q\n"
    "4UlEPKTcGjLo/Te5wiQR69s8QdhRMm1nbKBC3KiMlkV11LvtTQi8CxRPE6OaJk5A\n"
    "Ll/tLwgNAgMBAAECggEAPwtMmmlgSeVc1dQSh1Sg09yQ+Bw9SB3c9LSmZz/O1p+1\n"
    "sltsH0hy6TP6z+aRHdqqbjgYQbZUXFjxpQOl6ZJPL5WL7pIRc6x3FjLIGYvlzIPK\n"
    "qkuCkhmhKIDAQSynStsripx8x//bBf61Co2Tj+1AFLL4biSpIoqgIqdeAA+49K9+\n"
    "oeIhrRuW7XZJmRp3LkUv8Wl5sKhm+Z8NrjM7x3oIo4TYlxnFY/BrF1Okj3KgZ5CN\n"
    "z6ycBEhtnckPCeknUsHrGddbooYb/u8f9nkz97acNDIGnQDPcZ2PNFbMRwR8xlmN\n"
    "rYYhuy5JDhrJxajR3IfI971WoycqvCI/tOxi6YXaFwKBgQD95heZLNoPBQiJC8ne\n"
    "gnfLCOqVqEPEYH9kftG5Yzg+zwMoUG1FGGLtomSpiGMJdPK30f7zIlSXWPUU37XX\n"
    "jgw1Rmgr+qgrKrUkikzl0u+M6FS/cv2NVvzaa0tgSW+qm08sZxiXacy20E+KTfyU\n"
    "W3SRADQ/zQyyGpw+eLCqw4fX7wKBgQDykGdjPOIbPWj0RC0QjFvkAqoc49Z2MuLY\n"
    "SWa5pZODUJK3P1F44CXYWpLLXkpc6x/V813oUrOq7pyrcgJ3I3jo6Pz09X4Jdxvz\n"
    "OBMHd6wW7x/su/e+cVVmXGsQQ0soQ80WquflgGUPeWVuc3mhBkmj4mkvSryln4M1\n"
    "FBkeQe5DwwKBgHAKMS+u0yr9lZ6kTRibijFWZe5UqlLmIlE+hV3BovhUcZhApXdw\n"
    "I3epybHmNY3exZzIVjEEXT/MSZpEfgH49Potb5q4qa0i03ykavqf8oXDoGI7ZBgS\n"
    "4tGft0tuHJC0qGN3uypVzbh+hBsL/wGYuf+ij2v4GDof9AK9T3iLgE6RAoGANgAL\n"
    "5D3joGjVervKxIpa0rH9KR1X20yMz9XXdrDz3CIN55nDC4PrKPVRBNFjALifh8P8\n"
    "PgJbWUxxuIFTJy7QdhmYZvhYLMdFg6oSInFz8E8f7lYSW2Vju7wLYb15d+dQOyGl\n"
    "KqSg2wcNm789bqm1rzRyckLTKJQQY7qrtN68qn0CgYEAvfAMSAkNCrYzLd+q6N+m\n"
    "PQvmdTo0nak4UPmLei6uEAKM/MlifbYv3e/9RoIg4zLPulJA6GD/pcp1Fd5MNcE/\n"
    "lufGTfD8UhHiSBVs5kKHg6GMTR9oYcZ++ESRxhgWCLe4d6Tq+LOLJeKonvHmzIOU\n"
    "r8xiBMS1/5jOc5sSc+EAHmw=\n"
    "-----END PRIVATE KEY-----\n"
};

static struct hf_opener *
opener(size_t i)
{
    static struct hf_opener *openers[HF_COUNT(keys)];

    if (!openers[i]) {
        scratch_put("key", keys[i], hf_slice_text(keys[i]).size);
        must(hf_opener_load(scratch_path("key"), &openers[i], NULL) == HF_OK, "no key");
    }
    return openers[i];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < HF_COUNT(keys); i++) {
        hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 20);
        if (hf_cms_decrypt(opener(i), hf_slice(data, size), &plain, NULL) == HF_OK)
            must(hf_slice_is(hf_buf_slice(&plain), PLAIN), "it opened, to something else");
    }
    return 0;
}
