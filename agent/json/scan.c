/* Chooses the scanner's twin. */
#include "json_impl.h"

size_t
hf_json_twins(struct hf_json_twin ret_twins[HF_JSON_TWINS_MAX])
{
    size_t count = 0;
    ret_twins[count++] = (struct hf_json_twin){ "scalar", hf_json_scan_scalar };
#ifdef __x86_64__
    ret_twins[count++] = (struct hf_json_twin){ "sse2", hf_json_scan_sse2 };
    if (__builtin_cpu_supports("avx2"))
        ret_twins[count++] = (struct hf_json_twin){ "avx2", hf_json_scan_avx2 };
#endif
    return count;
}

bool
hf_json_scan(struct hf_slice text, struct hf_json_scan *ret_scan)
{
    if (!text.ptr)
        text = HF_SLICE_LITERAL("");
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return hf_json_scan_avx2(text, ret_scan);
    return hf_json_scan_sse2(text, ret_scan);
#else
    return hf_json_scan_scalar(text, ret_scan);
#endif
}
