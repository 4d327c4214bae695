//! Writes messages: as XML by hand, or as their JSON twin. Knows no element.

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// XML.
    Xml,
    /// The JSON twin: the same tree, lists as arrays, every value a string.
    Json,
}

/// A message, or a piece of one, while it is written.
pub(super) struct Out {
    form: Form,
    text: String,
}

impl Out {
    pub(super) fn new(form: Form) -> Self {
        Self { form, text: String::with_capacity(2048) }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A whole document: what stands before its root, and the root.
    pub(super) fn document(mut self, encoding: &str, write: impl FnOnce(&mut Self)) -> String {
        match self.form {
            Form::Xml => {
                self.text.push_str("<?xml version=\"1.0\" encoding=\"");
                self.text.push_str(encoding);
                self.text.push_str("\" standalone=\"no\"?>\n");
                self.group("XmlMsg", write);
                self.text.push('\n');
            }
            Form::Json => {
                self.text.push('{');
                self.group("XmlMsg", write);
                self.text.push('}');
            }
        }
        self.text
    }

    /// An element with a text.
    pub(super) fn leaf(&mut self, name: &str, value: &str) {
        match self.form {
            Form::Xml => {
                self.tag("<", name);
                escape(value, &mut self.text);
                self.tag("</", name);
            }
            Form::Json => {
                self.key(name);
                quote(value, &mut self.text);
            }
        }
    }

    /// An element with a text, where there is one.
    pub(super) fn maybe(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value.filter(|value| !value.as_ref().is_empty()) {
            self.leaf(name, value.as_ref());
        }
    }

    /// An element with elements.
    pub(super) fn group(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        match self.form {
            Form::Xml => {
                self.tag("<", name);
                write(self);
                self.tag("</", name);
            }
            Form::Json => {
                self.key(name);
                self.text.push('{');
                write(self);
                self.text.push('}');
            }
        }
    }

    /// An element with the same element for each of these.
    pub(super) fn list<T>(&mut self, name: &str, item: &str, all: &[T], write: impl Fn(&mut Self, &T)) {
        match self.form {
            Form::Xml => {
                self.group(name, |out| all.iter().for_each(|one| out.group(item, |out| write(out, one))))
            }
            Form::Json => {
                self.key(name);
                self.text.push('[');
                for one in all {
                    self.comma();
                    self.text.push('{');
                    self.group(item, |out| write(out, one));
                    self.text.push('}');
                }
                self.text.push(']');
            }
        }
    }

    /// The same element for each of these pieces, which are written already.
    pub(super) fn repeated(&mut self, name: &str, pieces: &[String]) {
        match self.form {
            Form::Xml => pieces.iter().for_each(|piece| self.group(name, |out| out.text.push_str(piece))),
            Form::Json => {
                self.key(name);
                self.text.push('[');
                for piece in pieces {
                    self.comma();
                    self.text.push('{');
                    self.text.push_str(piece);
                    self.text.push('}');
                }
                self.text.push(']');
            }
        }
    }

    fn tag(&mut self, open: &str, name: &str) {
        self.text.push_str(open);
        self.text.push_str(name);
        self.text.push('>');
    }

    fn key(&mut self, name: &str) {
        self.comma();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    fn comma(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
    }
}

fn escape(value: &str, text: &mut String) {
    if !value.bytes().any(|octet| matches!(octet, b'&' | b'<' | b'>' | ..b' ')) {
        return text.push_str(value);
    }
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            // XML 1.0 has no way to write them.
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
}

fn quote(value: &str, text: &mut String) {
    // A string can always be written.
    text.push_str(&serde_json::to_string(value).unwrap_or_default());
}
