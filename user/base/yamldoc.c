/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yamldoc.c - see yamldoc.h.
 *
 * An alias is the node that it names, once more: libyaml does not copy it, so a file cannot grow by them. Who walks over
 * nodes walks as deep as its tables go.
 */
#include "base/yamldoc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/suggest.h"
#include "base/text.h"

struct yamldoc {
	char *path;
	bool loaded;
	yaml_document_t document;
	char error[YAMLDOC_ERROR_MAX];
};

static const yaml_node_t *node_of(const struct yamldoc_item *item)
{
	return (const yaml_node_t *)item;
}

static const struct yamldoc_item *item_at(const struct yamldoc *file, int index)
{
	yaml_document_t *document = (yaml_document_t *)&file->document; /* it only reads */

	return (const struct yamldoc_item *)yaml_document_get_node(document, index);
}

int yamldoc_fail(struct yamldoc *file, int r, unsigned int line, const char *format, ...)
{
	int used =
		line ? snprintf(file->error, sizeof(file->error), "%s, line %u: ", file->path, line)
		     : snprintf(file->error, sizeof(file->error), "%s: ", file->path);
	va_list arguments;

	if (used < 0 || (size_t)used >= sizeof(file->error))
		return r;
	va_start(arguments, format);
	vsnprintf(file->error + used, sizeof(file->error) - (size_t)used, format, arguments);
	va_end(arguments);
	return r;
}

const char *yamldoc_error(const struct yamldoc *file)
{
	return file->error;
}

void yamldoc_free(struct yamldoc *file)
{
	if (!file)
		return;
	if (file->loaded)
		yaml_document_delete(&file->document);
	free(file->path);
	free(file);
}

/* ---- reading ---- */

static int read_bytes(struct yamldoc *file, char **ret_bytes, size_t *ret_len)
{
	_cleanup_(fclosep) FILE *in = fopen(file->path, "re");
	_cleanup_(freep) char *bytes = malloc(YAMLDOC_FILE_MAX + 1);
	size_t len;

	if (!in)
		return yamldoc_fail(file, -errno, 0, "%s", strerror(errno));
	if (!bytes)
		return yamldoc_fail(file, -ENOMEM, 0, "no memory");
	len = fread(bytes, 1, YAMLDOC_FILE_MAX + 1, in);
	if (ferror(in))
		return yamldoc_fail(file, -EIO, 0, "%s", strerror(errno));
	if (len > YAMLDOC_FILE_MAX)
		return yamldoc_fail(file, -E2BIG, 0, "larger than %u bytes", YAMLDOC_FILE_MAX);
	*ret_bytes = TAKE_PTR(bytes);
	*ret_len = len;
	return 0;
}

static int parser_failed(struct yamldoc *file, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return yamldoc_fail(file, -ENOMEM, 0, "no memory");
	return yamldoc_fail(file, -EINVAL, (unsigned int)parser->problem_mark.line + 1,
			    "not YAML: %s%s%s", parser->problem ? parser->problem : "broken",
			    parser->context ? ", " : "", parser->context ? parser->context : "");
}

static int load_only_document(struct yamldoc *file, yaml_parser_t *parser)
{
	yaml_document_t next;
	unsigned int line;
	bool more;

	if (!yaml_parser_load(parser, &file->document))
		return parser_failed(file, parser);
	file->loaded = true;
	if (!yamldoc_root(file))
		return yamldoc_fail(file, -EINVAL, 0, "empty");
	if (!yaml_parser_load(parser, &next))
		return parser_failed(file, parser);
	more = yaml_document_get_root_node(&next) != NULL;
	line = (unsigned int)next.start_mark.line + 1;
	yaml_document_delete(&next);
	return more ? yamldoc_fail(file, -EINVAL, line, "a second document begins: one is read")
		    : 0;
}

static int load(struct yamldoc *file)
{
	_cleanup_(freep) char *bytes = NULL;
	yaml_parser_t parser;
	size_t len = 0;
	int r;

	r = read_bytes(file, &bytes, &len);
	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&parser))
		return yamldoc_fail(file, -ENOMEM, 0, "no memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len);
	r = load_only_document(file, &parser);
	yaml_parser_delete(&parser);
	return r;
}

int yamldoc_read(const char *path, struct yamldoc **ret_file)
{
	struct yamldoc *file = calloc(1, sizeof(*file));

	*ret_file = NULL;
	if (!file)
		return -ENOMEM;
	file->path = strdup(path);
	if (!file->path) {
		yamldoc_free(file);
		return -ENOMEM;
	}
	*ret_file = file;
	return load(file);
}

const struct yamldoc_item *yamldoc_root(const struct yamldoc *file)
{
	yaml_document_t *document = (yaml_document_t *)&file->document; /* it only reads */

	return (const struct yamldoc_item *)yaml_document_get_root_node(document);
}

unsigned int yamldoc_line(const struct yamldoc_item *item)
{
	return (unsigned int)node_of(item)->start_mark.line + 1;
}

/* ---- mappings ---- */

static bool is_kind(const yaml_node_t *node, enum yamldoc_kind kind)
{
	switch (kind) {
	case YAMLDOC_TEXT:
		return node->type == YAML_SCALAR_NODE;
	case YAMLDOC_LIST:
		return node->type == YAML_SEQUENCE_NODE;
	case YAMLDOC_MAP:
		return node->type == YAML_MAPPING_NODE;
	}
	return false;
}

static const char *kind_phrase(enum yamldoc_kind kind)
{
	static const char *const phrase[] = {
		[YAMLDOC_TEXT] = "a single value",
		[YAMLDOC_LIST] = "a list (`- ...`)",
		[YAMLDOC_MAP] = "a mapping (`key: value`)",
	};

	return phrase[kind];
}

static int unknown_key(struct yamldoc *file, const yaml_node_t *key, const char *what,
		       const struct yamldoc_key *keys)
{
	const char *word = (const char *)key->data.scalar.value, *names[YAMLDOC_KEYS_MAX] = {};
	char near[128], list[256] = "";
	size_t count = 0, used = 0;

	for (; keys[count].name && count < YAMLDOC_KEYS_MAX; count++)
		names[count] = keys[count].name;
	suggest_phrase(near, sizeof(near), word, names, count);
	for (size_t i = 0; !near[0] && i < count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i ? ", " : "; it may have ", names[i]);
	return yamldoc_fail(file, -EINVAL, (unsigned int)key->start_mark.line + 1,
			    "'%.64s' is nothing that %s has%s%s", word, what, near, list);
}

/* A key with a NUL in it is none of ours. */
static bool key_is(const yaml_node_t *key, const char *name)
{
	return key->data.scalar.length == strlen(name) &&
	       memcmp(key->data.scalar.value, name, key->data.scalar.length) == 0;
}

static int take_pair(struct yamldoc *file, const yaml_node_pair_t *pair, const char *what,
		     const struct yamldoc_key *keys, const struct yamldoc_item **value)
{
	const yaml_node_t *key = node_of(item_at(file, pair->key));
	const struct yamldoc_item *item = item_at(file, pair->value);
	unsigned int line = (unsigned int)key->start_mark.line + 1;
	size_t i = 0;

	if (key->type != YAML_SCALAR_NODE)
		return yamldoc_fail(file, -EINVAL, line, "a key of %s is a word", what);
	while (keys[i].name && !key_is(key, keys[i].name))
		i++;
	if (!keys[i].name)
		return unknown_key(file, key, what, keys);
	if (value[i])
		return yamldoc_fail(file, -EINVAL, line, "'%s' is said twice of %s", keys[i].name,
				    what);
	if (!is_kind(node_of(item), keys[i].kind))
		return yamldoc_fail(file, -EINVAL, line, "'%s' of %s must be %s", keys[i].name,
				    what, kind_phrase(keys[i].kind));
	value[i] = item;
	return 0;
}

int yamldoc_map(struct yamldoc *file, const struct yamldoc_item *item, const char *what,
		const struct yamldoc_key *keys, const struct yamldoc_item **ret_value)
{
	const yaml_node_t *node = node_of(item);
	int r = 0;

	for (size_t i = 0; keys[i].name; i++)
		ret_value[i] = NULL;
	if (node->type != YAML_MAPPING_NODE)
		return yamldoc_fail(file, -EINVAL, yamldoc_line(item), "%s must be %s", what,
				    kind_phrase(YAMLDOC_MAP));
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     r == 0 && pair < node->data.mapping.pairs.top; pair++)
		r = take_pair(file, pair, what, keys, ret_value);
	for (size_t i = 0; r == 0 && keys[i].name; i++)
		if (keys[i].required && !ret_value[i])
			r = yamldoc_fail(file, -EINVAL, yamldoc_line(item), "%s has no '%s'", what,
					 keys[i].name);
	return r;
}

/* ---- sequences and scalars ---- */

unsigned int yamldoc_count(const struct yamldoc_item *item)
{
	const yaml_node_t *node = node_of(item);

	if (!node || node->type != YAML_SEQUENCE_NODE)
		return 0;
	return (unsigned int)(node->data.sequence.items.top - node->data.sequence.items.start);
}

const struct yamldoc_item *yamldoc_at(const struct yamldoc *file, const struct yamldoc_item *item,
				      unsigned int i)
{
	return item_at(file, node_of(item)->data.sequence.items.start[i]);
}

bool yamldoc_is_text(const struct yamldoc_item *item)
{
	return node_of(item)->type == YAML_SCALAR_NODE;
}

/* The length of its first character that can be shown; 0: there is none. */
static unsigned int printable_at(const char *text, size_t len)
{
	uint32_t code_point;
	unsigned int step = text_utf8_next(text, len, &code_point);

	return step && text_is_printable(code_point) ? step : 0;
}

int yamldoc_text(struct yamldoc *file, const struct yamldoc_item *item, const char *what,
		 unsigned int max, const char **ret_text)
{
	const yaml_node_t *node = node_of(item);
	unsigned int line = yamldoc_line(item), step;
	const char *text;
	size_t len;

	if (node->type != YAML_SCALAR_NODE)
		return yamldoc_fail(file, -EINVAL, line, "%s must be %s", what,
				    kind_phrase(YAMLDOC_TEXT));
	text = (const char *)node->data.scalar.value;
	len = node->data.scalar.length;
	if (len == 0)
		return yamldoc_fail(file, -EINVAL, line, "%s is empty", what);
	if (len > max)
		return yamldoc_fail(file, -EINVAL, line, "%s is longer than %u bytes", what, max);
	for (size_t at = 0; at < len; at += step) {
		step = printable_at(text + at, len - at);
		if (!step)
			return yamldoc_fail(file, -EINVAL, line,
					    "%s has a character that cannot be shown", what);
	}
	*ret_text = text;
	return 0;
}

int yamldoc_bool(struct yamldoc *file, const struct yamldoc_item *item, const char *what,
		 bool *ret_value)
{
	const char *text;
	int r = yamldoc_text(file, item, what, 64, &text);

	if (r < 0)
		return r;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return yamldoc_fail(file, -EINVAL, yamldoc_line(item),
				    "%s: '%s': write true or false", what, text);
	*ret_value = strcmp(text, "true") == 0;
	return 0;
}
