/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_answer.h - what a service's answer tells: times down the chain, and which hop failed.
 */
#ifndef HF_CHAIN_LOAD_ANSWER_H
#define HF_CHAIN_LOAD_ANSWER_H

#include "chain/http.h"
#include "chain/load.h"

/*
 * Reads a JSON body into record->error and record->hop when its status is a failure, and into
 * result->times when `keep_times`. What is no such answer leaves them as they are, and is counted.
 */
void load_answer_read(struct load_result *result, struct load_record *record, struct http_text body,
		      bool keep_times);

/* enum load_shape: by its status, and by what it says of itself. */
uint8_t load_answer_shape(unsigned int status, struct http_text body);

#endif
