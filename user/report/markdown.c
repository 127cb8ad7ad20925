/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * markdown.c - report.md by cmark-gfm, with tables. HTML in the text is left out (it is not our text, perhaps), links to
 * scripts too (its default), and a picture is put into the page when it is one of the folder's own SVG files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

#include "base/cleanup.h"
#include "report/html.h"
#include "report/page.h"

DEFINE_CLEANUP(cmark_parser *, cmark_parser_free)
DEFINE_CLEANUP(cmark_node *, cmark_node_free)
DEFINE_CLEANUP(cmark_iter *, cmark_iter_free)

void page_markdown_title(const char *text, char *title, size_t size)
{
	const char *heading = strncmp(text, "# ", 2) ? strstr(text, "\n# ") : text;

	title[0] = '\0';
	if (!heading)
		return;
	heading += strspn(heading, "\n# ");
	snprintf(title, size, "%.*s", (int)strcspn(heading, "\n"), heading);
}

static cmark_node *parse(const char *text, size_t len, cmark_parser *parser)
{
	cmark_syntax_extension *table = cmark_find_syntax_extension("table");

	if (table)
		cmark_parser_attach_syntax_extension(parser, table);
	cmark_parser_feed(parser, text, len);
	return cmark_parser_finish(parser);
}

/* What the picture is called: the words in its brackets. */
static void picture_title(cmark_node *image, char *title, size_t size)
{
	cmark_node *word = cmark_node_first_child(image);
	size_t used = 0;

	title[0] = '\0';
	for (; word && used < size; word = cmark_node_next(word))
		if (cmark_node_get_literal(word))
			used += (size_t)snprintf(title + used, size - used, "%s",
						 cmark_node_get_literal(word));
}

static bool is_own_picture(const struct folder *folder, const char *url)
{
	return url && folder_name_ends(url, ".svg") && folder_has(folder, url);
}

/* In its place stands the picture itself, or a word that it is not there: nothing is fetched from elsewhere. */
static int replace_picture(const struct folder *folder, cmark_node *image)
{
	_cleanup_(cmark_node_freep) cmark_node *inlined = cmark_node_new(CMARK_NODE_CUSTOM_INLINE);
	_cleanup_(freep) char *text = NULL;
	const char *url = cmark_node_get_url(image);
	char title[256];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out || !inlined)
		return -ENOMEM;
	picture_title(image, title, sizeof(title));
	if (is_own_picture(folder, url))
		page_picture_of(folder, url, title, out);
	else
		html_element(out, "em", "(a picture that is not in this folder)");
	if (fclose(out) == EOF || !cmark_node_set_on_enter(inlined, text) ||
	    !cmark_node_replace(image, inlined))
		return -ENOMEM;
	inlined = NULL; /* the document has it */
	cmark_node_free(image);
	return 0;
}

/* A picture that stands alone in its paragraph takes the paragraph's place: a figure may not be in one. */
static int unwrap(cmark_node *paragraph)
{
	cmark_node *block = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK);
	cmark_node *only = cmark_node_first_child(paragraph);

	if (!block || !cmark_node_set_on_enter(block, cmark_node_get_on_enter(only)) ||
	    !cmark_node_replace(paragraph, block))
		return -ENOMEM;
	cmark_node_free(paragraph);
	return 0;
}

static bool is_alone(cmark_node *node)
{
	cmark_node *parent = cmark_node_parent(node);

	return cmark_node_get_type(parent) == CMARK_NODE_PARAGRAPH &&
	       cmark_node_first_child(parent) == node && !cmark_node_next(node);
}

static cmark_node *find_image(cmark_node *document)
{
	_cleanup_(cmark_iter_freep) cmark_iter *iter = cmark_iter_new(document);

	while (cmark_iter_next(iter) != CMARK_EVENT_DONE)
		if (cmark_node_get_type(cmark_iter_get_node(iter)) == CMARK_NODE_IMAGE)
			return cmark_iter_get_node(iter);
	return NULL;
}

static int place_pictures(const struct folder *folder, cmark_node *document)
{
	cmark_node *image, *parent;
	bool alone;
	int r;

	for (unsigned int i = 0; (image = find_image(document)) != NULL; i++) {
		if (i == PAGE_PICTURES_MAX)
			return -E2BIG;
		alone = is_alone(image);
		parent = cmark_node_parent(image);
		r = replace_picture(folder, image);
		if (r == 0 && alone)
			r = unwrap(parent);
		if (r < 0)
			return r;
	}
	return 0;
}

int page_markdown(const struct folder *folder, const char *text, size_t len, FILE *out)
{
	_cleanup_(cmark_parser_freep) cmark_parser *parser = NULL;
	_cleanup_(cmark_node_freep) cmark_node *document = NULL;
	_cleanup_(freep) char *html = NULL;
	int options = CMARK_OPT_VALIDATE_UTF8, r;

	cmark_gfm_core_extensions_ensure_registered();
	parser = cmark_parser_new(options);
	document = parser ? parse(text, len, parser) : NULL;
	if (!document)
		return -ENOMEM;
	r = place_pictures(folder, document);
	if (r < 0)
		return r;
	html = cmark_render_html(document, options, cmark_parser_get_syntax_extensions(parser));
	if (!html)
		return -ENOMEM;
	fputs(html, out);
	return 0;
}
