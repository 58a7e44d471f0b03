/* What the kernel says of the clock, for a program that this is loaded into: that a time service
 * keeps it if the file that HF_TEST_CLOCK_KEPT names is there, else that none does. Whatever keeps
 * the clock of the host that tests run on. */
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

int adjtimex(struct timex *now);

int
adjtimex(struct timex *now)
{
    const char *file = getenv("HF_TEST_CLOCK_KEPT");
    int kept = file && access(file, F_OK) == 0;

    now->status = kept ? 0 : STA_UNSYNC;
    return kept ? TIME_OK : TIME_ERROR;
}
