/* Inside of bucket: single documents.
 *
 *   plan.c        what the bucket should have   policy.c, lifecycle.c   two documents with rules of
 *   compare.c     what it has, beside that                              their own
 *   apply.c       what is put                   differences.c           two documents side by side
 *   probe.c       whether it holds              document.c, xml.c       a document from and to a store
 */
#ifndef HOLDFAST_BUCKET_IMPL_H
#define HOLDFAST_BUCKET_IMPL_H

#include <holdfast/bucket.h>

#define DOCUMENT_MAX (256u << 10)

/* ---- document.c: one sub-resource of the store ---- */

/* HF_OK and NULL when nothing is set. Of a role's part: the whole bucket policy. */
enum hf_status document_get(struct hf_store *store, enum hf_bucket_part part, json_t **ret_doc,
                            struct hf_error *err) hf_must_check;
enum hf_status document_put(struct hf_store *store, enum hf_bucket_part part, const json_t *doc,
                            struct hf_error *err) hf_must_check;

/* ---- xml.c ---- */

/* The AWS CLI's JSON to S3's XML. `root` is the XML's outermost element. */
enum hf_status xml_from_doc(const json_t *doc, const char *root, struct hf_buf *ret_xml,
                            struct hf_error *err) hf_must_check;
/* S3's XML to the AWS CLI's JSON; every scalar is a string. HF_OK and NULL when the outermost
 * element is not `root`: Ceph answers for a setting that it does not know with a list of the
 * bucket. */
enum hf_status xml_to_doc(struct hf_slice xml, const char *root, json_t **ret_doc,
                          struct hf_error *err) hf_must_check;

/* ---- plan.c ---- */

/* HF_OK and NULL when the folder has no such document. */
enum hf_status read_optional(const char *folder, const char *name, json_t **ret_doc,
                             struct hf_error *err) hf_must_check;
/* The bucket's policy folder; where `policies/NAME` is not there beside the configuration, the
 * installation's set of that name. A new string. */
char *policy_folder(const char *config_path, const char *policy, const char *installed);

/* ---- policy.c ---- */

/* Fills the plan's parts of the bucket policy. */
enum hf_status policies_plan(const struct hf_config *config, const struct hf_bucket_given *given,
                             struct hf_bucket_plan *plan, struct hf_error *err) hf_must_check;
/* Statements of `wanted` replace those with the same Sid in `present`, the others stay. A new
 * reference. */
json_t *policy_merge(const json_t *present, const json_t *wanted);
/* Those statements of a present policy that have a Sid of the wanted one. A new reference. */
json_t *policy_own(const json_t *present, const json_t *wanted);

/* ---- lifecycle.c ---- */

/* Without what moves versions to another storage class, and without rules that do nothing else. A
 * new reference. */
json_t *lifecycle_without_moves(const json_t *lifecycle);
/* "to storage class GLACIER after 90 days"; NULL when it moves nothing. A new string. */
char *lifecycle_moves(const json_t *lifecycle);
/* What is wanted, its rules that have no ID with the one that the store gave to a rule that says the
 * same, or that is for the same keys. A new reference. */
json_t *lifecycle_named(const json_t *wanted, const json_t *present);
/* HF_EREFUSED where it would hide current versions that are locked. */
enum hf_status lifecycle_check(const json_t *lifecycle, uint64_t lock_days,
                               struct hf_error *err) hf_must_check;

/* ---- differences.c ---- */

/* What is wanted and not there, in the order of `wanted`, then what is only in `present`. NULL
 * stands for nothing set. None of them is harmless yet. */
void differences_find(const json_t *present, const json_t *wanted,
                      struct hf_differences *ret_differences);
void differences_done(struct hf_differences *differences);

#endif
