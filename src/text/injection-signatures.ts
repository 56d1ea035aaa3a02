// Patterns of text that addresses the model instead of the reader. They are matched against text in lower case, without
// accents, with single spaces (src/text/injection-scan.ts).
//
// Every gap has an upper bound, so that one attempt takes constant time and a whole text linear time. Honest customers
// write sentences close to many of these ("ignore my previous email", "list all payment methods that you take"):
// test/node/injection-scan.test.ts holds them.

const INSTRUCTIONS =
  "(?:instructions?|directions?|directives?|prompts?|commands?|rules|guidelines|orders|programming|training|constraints|restrictions)";
const DROP =
  "(?:ignore|disregard|forget|override|bypass|do not follow|don't follow|stop following|pay no attention to)";
const MODEL =
  "(?:ai|a\\.i\\.|llms?|language models?|chat ?bots?|(?:ai|virtual|automated) (?:assistants?|agents?|systems?)|chatgpt|gpt-?\\d?|claude|gemini|copilot)";
const TOOL = "(?:get|list|search|close|delete|update|create|send|read|query|refund|export)_[a-z_]{2,30}";
const PEOPLE = "(?:customers?|users?|employees?|clients?|accounts?|members?)";
const ANSWER = "(?:answers?|repl(?:y|ies)|responses?|outputs?)";

const signature = (family: string, ...patterns: string[]) => ({
  family,
  pattern: new RegExp(patterns.join("|"), "u"),
});

export const SIGNATURES = [
  signature(
    "override",
    // Honest customers write "my": disregard my previous instructions to the driver.
    String.raw`\b${DROP}(?! my\b)(?:[^a-z]{1,3}(?!my\b)[a-z']{1,20}){0,3}[^a-z]{1,3}(?:previous|prior|above|earlier|preceding|foregoing|former|initial|original|system|your|other|existing)(?:[^a-z]{1,3}(?!my\b)[a-z']{1,20}){0,2}[^a-z]{1,3}${INSTRUCTIONS}\b`,
    String.raw`\b${DROP} (?:all|any)(?: of)?(?: the| these| those)? ${INSTRUCTIONS}\b`,
    String.raw`\b${DROP} (?:everything|anything|all that)(?: is| was| came| comes)? (?:above|before this|prior|previous|you (?:were|have been|know|learned))\b`,
    String.raw`\b(?:ignore|disregard|forget) (?:the|this|that|all|any)(?: [a-z]{1,20}){1,3} and (?:instead )?(?:state|say|output|print)\b`,
    String.raw`\b(?:previous|prior|above|earlier) ${INSTRUCTIONS} (?:are|is|were) (?:void|obsolete|cancell?ed|no longer valid|superseded|overridden)\b`,
  ),
  signature(
    "override-foreign",
    String.raw`\b(?:olvid[ae]|ignor[ae]|descart[ae])(?: [a-z]{1,12}){0,4} instrucciones\b`,
    String.raw`\b(?:ignore[rz]?|oublie[rz]?)(?: [a-z]{1,12}){0,3} (?:instructions|consignes)(?: (?:precedentes|anterieures|ci-dessus))`,
    String.raw`\b(?:ignorier[a-z]{0,3}|vergiss|missachte[a-z]{0,2})(?: [a-z]{1,15}){0,3} (?:vorherigen?|bisherigen?|obigen?|fruheren?|deine|systemanweisungen)(?: [a-z]{1,15}){0,2} ?(?:anweisungen|instruktionen|befehle|vorgaben|regeln)?`,
    String.raw`\b(?:ignora|dimentica)(?: [a-z]{1,12}){0,3} istruzioni\b`,
    String.raw`\b(?:ignore|esqueca|desconsidere)(?: [a-z]{1,12}){0,3} instrucoes\b`,
    String.raw`\bnegeer(?: [a-z]{1,12}){0,3} instructies\b`,
    String.raw`(?:игнорируи|проигнорируи|забудь)(?:те)?[^\n]{0,24}(?:инструкц|указани)`,
    String.raw`(?:忽略|无视|無視|忘记|忘掉)[^\n]{0,8}(?:指令|指示|提示|命令|规则)|(?:指示|命令|指令|プロンプト)[^\n]{0,8}(?:無視|忘れ)`,
    String.raw`(?:تجاهل|انس)[^\n]{0,12}(?:التعليمات|تعليمات|الاوامر)`,
  ),
  signature(
    "new-orders",
    String.raw`\byour (?:new|real|actual|true|only|next) (?:instructions?|task|goal|objective|role|mission|directive|orders)\b ?(?:is|are|:)`,
    String.raw`\b(?:new|updated|revised) (?:system |secret )?(?:prompt|directive)s? ?:`,
    String.raw`\bfrom now on,? (?:you are|act as|respond|reply|answer|you (?:will|must|should) (?:only )?(?:respond|reply|answer|act|behave|obey))\b`,
  ),
  signature(
    "markup",
    String.raw`<\|? ?(?:im_start|im_end|endoftext|start_header_id|eot_id|system|assistant|begin_of_text)\b ?\|?>`,
    String.raw`\[/?inst\]|<</?sys>>|<(?:system|assistant|instructions?|important)(?: mode| prompt| message)?>`,
    String.raw`(?:#{2,4}|\[|<|-{3}|\*{2}) ?system[ _-](?:message|prompt|note|override|instructions?|notice|alert|update)\b`,
    String.raw`\bsystem (?:message|prompt|note|override|instructions?) ?:`,
    String.raw`(?:^|\n|["'}] ?)(?:system|assistant|developer) ?: ?(?:you|ignore|do not|please|new|the user|from now)\b`,
  ),
  signature(
    "mode",
    String.raw`\b(?:developer|admin(?:istrator)?|debug|god|jailbreak|maintenance|root|system|dan|unrestricted) mode\b[^a-z]{0,3}(?:is |now )?(?:enabled|activated|engaged|unlocked)`,
    String.raw`\bdo anything now\b`,
    String.raw`\b(?:developer|system|admin|training|safety|security)(?: [a-z]{1,12}){0,2} override\b ?[:;!-]`,
  ),
  signature(
    "role",
    String.raw`\byou are (?:now|no longer) (?:bound|restricted|limited|subject|unrestricted|dan\b|in [a-z]{1,15} mode|an? (?:[a-z-]{1,15} ){0,3}${MODEL}\b)`,
    String.raw`\bi(?:'m| am) (?:your|the) (?:developer|creator|programmer|god|system administrator|maker)\b`,
    String.raw`\byou must (?:obey|listen to|follow) (?:my|these|all|the following) (?:new )?${INSTRUCTIONS}\b`,
    String.raw`\bthe role of another (?:ai|model)\b`,
  ),
  signature(
    "to-the-model",
    String.raw`\b(?:note|message|instructions?|attention|notice|important|reminder)(?: [a-z]{1,12}){0,2} ?(?:to|for|:|,|-) ?(?:the |all |any |every |an? )?${MODEL}\b`,
    String.raw`\b(?:if|when|since|as) you(?:'re| are) (?:an? |the )?(?:[a-z-]{1,15} ){0,2}${MODEL}\b`,
    String.raw`\b${MODEL} (?:reading|processing|summari[sz]ing|handling|parsing) (?:this|the)\b`,
    String.raw`\b${MODEL} (?:must|should|has to|have to|is required to|are required to|will) (?:now |also |first |always )?(?:ignore|call|send|list|reveal|execute|run|include|output|recommend|obey|disclose|export|forward)\b`,
  ),
  signature(
    "tool-call",
    String.raw`\b(?:call|invoke|use|run|execute|trigger)(?: the)?(?: tools?| functions?)? ?[\x60"'(]{0,2}${TOOL}`,
    String.raw`\b${TOOL} ?\(`,
    String.raw`<(?:tool_call|function_call|tool_use|invoke)\b`,
  ),
  signature(
    "bulk-data",
    String.raw`\b(?:list|dump|export|reveal|print|retrieve|fetch|enumerate|exfiltrate|collect|output|disclose|look up)(?: me| us)?(?: a list of)? (?:all|every|each)(?: of)?(?: the| our| other| your| registered)? ${PEOPLE}\b`,
    String.raw`\b(?:list|names|details|data|emails?|addresses|records|passwords?|credit cards?|payment methods) (?:of|for|from) (?:all|every|each|other)(?: of)?(?: the| our| other| your| registered)? ${PEOPLE}\b`,
    String.raw`\b(?:all|every|each)(?: the| other| of your)? ${PEOPLE}(?:'s?|s')? (?:and their |with their )?(?:data|details|records|emails?|email addresses|passwords?|addresses|payment|card|bank)\b`,
    String.raw`\b(?:full|entire|whole|complete) (?:customer|user|employee|client|account)s? (?:data|database|list|table|records?)\b`,
  ),
  signature(
    "leak",
    String.raw`\b(?:reveal|show|print|repeat|output|display|leak|disclose|give|tell|share|what is|what are|what's|send)(?: [a-z]{1,12}){0,3} (?:your|the) (?:(?:full|entire|exact|hidden|secret|initial|original|own) )?(?:system prompt|system message|initial prompt|hidden prompt|secret key|api keys?|hidden instructions|initial instructions|instructions above|original prompt|prompt above)\b`,
    String.raw`\brepeat (?:everything|all(?: of)? the (?:text|words)|the (?:text|words)) above\b`,
    String.raw`\bprint your (?:instructions|prompt|configuration)\b`,
  ),
  signature(
    "conceal",
    String.raw`\b(?:do not|don't|never|without) (?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|alert(?:ing)?|notify(?:ing)?|reveal(?:ing)?|show(?:ing)?|disclos(?:e|ing))(?: [a-z]{1,12}){0,4} (?:the|your|any) (?:user|human|operator|person you|support agent|supervisor)\b`,
    String.raw`\b(?:keep|hide) (?:this|it|that) (?:secret |hidden )?from the (?:user|human|operator)\b`,
  ),
  signature(
    "puppet",
    String.raw`\b(?:tell|inform|convince|persuade|trick|instruct|advise) (?:the|this|your|every) (?:user|reader|human|person asking)s? (?:to|that|about|into)\b`,
    String.raw`\b(?:state|output|print) the following\b ?:`,
    String.raw`\b(?:when|if) (?:the user|someone|anyone) asks? (?:you )?(?:about|for|to)\b[^\n]{0,60}\b(?:say|reply|answer|respond|tell)\b`,
  ),
  signature(
    "steer",
    // People write "change" or "translate your reply" to each other, but not these words.
    String.raw`\b(?:modify|augment|enhance|append|embed|integrate|inject)\b[^.!?\n]{0,100}\byour (?:entire |whole |final |next )?${ANSWER}\b`,
  ),
  signature(
    "disguise",
    String.raw`\byour (?:entire |whole |complete )?${ANSWER}(?: [a-z]{1,12}){0,2} (?:in|using|with|as|into|through) (?:[a-z]{1,12} ){0,2}(?:base ?\d\d|morse(?: code)?|emojis?|binary|hex(?:adecimal)?|rot-?13|pig latin|reverse|ascii|leet ?speak|cipher|caesar|alphanumeric|unicode|braille)\b`,
    String.raw`\b(?:encode|encrypt|scramble|obfuscate|encipher|reverse|shuffle)(?: [a-z]{1,12}){0,4} your ${ANSWER}\b`,
  ),
  signature(
    "fetch",
    // An image whose address carries data tells its server what was read.
    String.raw`!\[[^\]\n]{0,100}\] ?\( ?https?://[^\s)]{1,300}[?=]`,
    String.raw`<(?:img|iframe)\b[^>]{0,200}src ?= ?["']? ?https?://[^\s>]{1,200}[?=]`,
    String.raw`\b(?:curl|wget)(?: -[a-z-]{1,12}){0,4} ["']?https?://`,
  ),
] as const;
