"""Words that show something: evidence for a label and a feature of its model, never the judge.

Phrases are written in simplified Chinese and lower case; matching goes by the normalised spelling, so traditional Chinese
and capitals are covered. A cue may belong to stages, intents or the question who acts next.
"""

from __future__ import annotations

from typing import Final

_PHRASES: Final[dict[str, str]] = {
    # --- where in the project ---------------------------------------------------------------------------------------
    "enquiry": """
        咨询|询价|了解一下|想了解|想找|在找|有没有兴趣|接不接|接吗|能不能接|初次联系|冒昧|久仰|经朋友介绍|朋友推荐|慕名|想合作|合作意向|合作的可能|贵司|
        认识一下|公司介绍|简介|案例|报个价|比稿|招标|邀标|入围|供应商入库|找代理|换代理|新项目|新的需求|有个活|有个项目|
        enquiry|inquiry|introduce ourselves|looking for an agency|look for an agency|reaching out|get in touch|found you|came across|recommended you|
        gave me your name|your name from|your credentials|do you take on|would you be interested|are you interested|new business|pitch list|shortlist|tender|rfp|rfi|
        initial chat|first call|introductory call|capabilities|we are a|we're a|i run|i own|take a brief|scope out""",
    "brief": """
        需求|简报|目标人群|目标受众|目标客群|人群画像|受众|预算|预算范围|痛点|诉求|核心诉求|调性|竞品|背景|品牌背景|希望达到|需求书|需求表|需求确认表|需求确认单|
        填一下|问卷|资料清单|品牌资料|产品资料|必须保留|不能碰|红线|几个问题|先问几个|
        brief|target audience|audience|objectives|objective|budget|ballpark|must-haves|mandatories|constraints|requirement form|requirements form|requirements|
        questionnaire|background|competitors|positioning|a few questions|some questions|in scope|out of scope|success look like""",
    "nda": "保密协议|保密|nda|non-disclosure|confidentiality agreement|confidential",
    "concept": """
        提案|方案|想法|创意|思路|策略|概念|方向|大纲|脚本大纲|路线|提报|汇报方案|主张|洞察|主题|slogan|大创意|初稿方案|初步想法|
        concept|concepts|idea|ideas|route|routes|strategy|creative direction|direction|territory|territories|proposal|deck|pitch|first thoughts|insight|tagline|platform""",
    "presentation": """
        过方案|讲方案|提案会|当面讲|现场讲|汇报|宣讲|过一遍|会议纪要|纪要|评审|打分|老板看|投票|
        present|presentation|presenting|walk you through|walk through|talk you through|minutes|chemistry meeting|pitch day|in the room|run-through|board saw|showed it to""",
    "estimate": """
        报价|报价单|预估|估价|费用明细|费用构成|单价|分项|排期表|时间表|时间规划|
        estimate|quote|quotation|costs|cost breakdown|breakdown|fee proposal|rate card|timeline|timings|indicative""",
    "adjusting": """
        调整后|修改后|改好了|第二版|第三版|二稿|三稿|更新版|按您的意见|按各位意见|根据反馈|根据上次|最终版方案|定稿|终稿方案|优化版|版本对比|改动清单|修改清单|
        revised|revision|updated version|version 2|v2|v3|round two|second round|amended|changes in yellow|as discussed we|taken out|taken on board|reworked|adjusted|final version|resubmit""",
    "price_talk": """
        优惠|折扣|打折|便宜|降一点|降价|抹零|让利|超预算|预算超|太贵|偏高|压一压|砍|含税|不含税|税点|账期|付款方式|付款比例|首付|三七|四六|五五|
        discount|too expensive|over budget|above budget|sharpen|come down|meet us|cheaper|reduce the fee|payment terms|net 30|net 45|net 60|instalments|split the|vat|gst|procurement|purchasing""",
    "contract": """
        合同|协议|条款|法务|盖章|签字|签署|签约|用印|违约|附件一|双方|甲方|乙方|回签|扫描件|骑缝章|知识产权|版权归属|sow|
        contract|agreement|terms|clause|clauses|legal|countersign|countersigned|signature|sign|signed|sow|statement of work|msa|liability|indemnity|termination|docusign|purchase order|po number|ip""",
    "deposit": """
        定金|预付款|首款|首期款|首付款|预付|启动款|
        deposit|upfront|first invoice|advance payment|first instalment|first payment|down payment""",
    "kickoff": """
        启动会|启动|开工|项目组|拉群|对接人|项目群|分工|负责执行|项目计划|甘特图|开干|
        kick-off|kickoff|kick off|team on this|your contact|day to day|day-to-day|project plan|gantt|working group|get started|underway|start work""",
    "progress": """
        进度|进展|周报|日报|完成了|已完成|目前|拍摄|剪辑|粗剪|精剪|后期|打样|样品|制作中|施工|搭建|物料|达人|排期|素材|投放|上刊|脚本|分镜|通告单|渲染|开发中|测试|联调|
        progress|status|on track|on schedule|behind schedule|this week|next week we|shoot|shooting|filming|edit|rough cut|offline|grade|proofs|proof|samples|build|printing|
        production|storyboard|call sheet|talent|casting|location|staging link|test link|artwork|footage|creators|influencers|dev|sprint""",
    "review": """
        初稿|样片|样稿|小样|请审|审一下|过目|批注|a copy|成片|改一版|再改|修改意见|字体|颜色|配色|画面|镜头|文案|logo|音乐|字幕|错别字|
        draft|drafts|cut|cuts|first cut|amends|amend|comments|typo|caption|captions|font|colour|color|logo|frame|music|voiceover|headline|copy|layout|visual|mock-up|mockup""",
    "milestone": "里程碑|阶段验收|第一阶段|第二阶段|节点|阶段性|中期款|进度款|milestone|phase one|phase two|phase 1|phase 2|stage payment|second instalment|interim invoice",
    "go_live": """
        上线|发布|上架|开播|首发|开机|预热|开幕|上刊|见刊|直播|首日|正式开始|
        go live|goes live|went live|going live|live now|is live|launch|launched|launches|opening|on air|published|posted""",
    "optimising": """
        优化|加投|转化率|点击率|曝光|千次|cpm|ctr|cpc|cpa|roi|gmv|数据|消耗|预算分配|素材替换|调投放|
        ctr|cpm|cpa|cpc|roas|impressions|click-through|conversion|conversions|optimise|optimize|spend|daily spend|swap the creative|numbers so far|performance""",
    "final_delivery": """
        终稿|最终文件|源文件|交付|全部交付|打包|移交|验收单|验收|交接|网盘|母带|最终版|
        final files|final delivery|handover|hand over|hand-over|master files|masters|source files|final assets|delivered everything|sign-off form|acceptance|acceptance form|package""",
    "results": """
        结案|结案报告|总结报告|复盘|效果报告|总结|数据汇总|成果|达成率|超额|kpi|
        results|final report|wrap-up|wrap up|wrap report|post-campaign|case study|debrief|retrospective|lessons learned|summary report|evaluation|closing report|kpi|kpis""",
    "survey": "满意度|问卷|打个分|打分|评价|回访|survey|satisfaction|score|rate us|out of ten|out of 10|feedback form|how did we do|how we did",
    "final_invoice": "尾款|结清|余款|末款|开票|发票|final invoice|final payment|balance|outstanding invoice|remaining|closing invoice|settle",
    "archive": "归档|存档|备份|archive|archived|archiving|on file|close the file|close out|close the project|store the",
    "keeping_touch": """
        好久不见|好久没|近来|最近怎么样|最近如何|有空聚|喝茶|吃饭|来坐坐|行业报告|分享一篇|看到一篇|白皮书|明年的|下半年有|改天聚|
        been a while|long time|how are things|how is everything|how's|hope you are all well|catch up|coffee|lunch|thought of you|saw this|saw that|came across this|
        trend report|whitepaper|congratulations on|congrats|next year|no agenda|keep in touch|stay in touch""",
    "season": """
        新年快乐|新春|春节快乐|中秋快乐|端午安康|节日快乐|国庆快乐|元旦|恭贺|祝您|祝大家|祝福|拜年|阖家|圣诞快乐|生日快乐|周年|过年好|恭喜发财|
        happy new year|merry christmas|happy holidays|season's greetings|happy lunar new year|happy chinese new year|eid mubarak|happy diwali|happy easter|
        happy thanksgiving|best wishes for|happy birthday|anniversary|happy mid-autumn""",
    "recommending": """
        推荐给|介绍给|介绍个|介绍一个|介绍一位|推荐您|推荐你们|我朋友|一个朋友|牵个线|引荐|转介绍|
        introduce you to|introducing you|put you in touch|friend of mine|recommend you|recommended you|passed your name|pass on your|referral|refer|gave them your|a colleague of mine|meet my""",
    # --- not a client's matter --------------------------------------------------------------------------------------
    "selling": """
        退订|取消订阅|限时|免费试用|优惠券|代开|发票代开|贷款|培训课程|招商|加盟|群发|推广服务|我司专业|我们是一家|专业提供|厂家直销|一手货源|欢迎来电|诚邀|报名|名额有限|扫码|点击链接|中奖|
        unsubscribe|limited time|free trial|special offer|our platform|our solution|book a demo|demo of|boost your|increase your|grow your|leads|seo services|guest post|backlinks|
        view in browser|webinar|register now|early bird|per cent off|% off|lottery|click here|exclusive offer|newsletter|sponsor|wholesale|factory|manufacturer|outsourcing""",
    "applying": """
        应聘|求职|简历|实习|岗位|面试|作品集|招聘|毕业|
        my cv|resume|résumé|cv attached|applying|application for|internship|intern|vacancy|job opening|portfolio|candidate|recruiter|recruitment|position of|graduate""",
    "machine": """
        验证码|自动回复|系统自动|请勿回复|登录提醒|账号|密码|到期|续费|订单号|快递|包裹|取件|工单|退信|不在办公室|休假|
        verification code|do not reply|no-reply|noreply|automatic reply|out of office|out of the office|annual leave|password|your account|your order|tracking number|parcel|
        delivery status|undeliverable|your subscription|renewal|sign-in|security alert|invoice is available|ticket number|system notification|has been updated|expires""",
    "private": "妈|爸|孩子|接孩子|物业|房东|租金|同学聚会|体检|家长|周末聚|mum|mom|dad|kids|landlord|rent|school run|dentist appointment|reunion|tennis|birthday party|neighbour",
    # --- intents ----------------------------------------------------------------------------------------------------
    "approve": """
        同意|没问题|没有问题|通过|确认|认可|定了|就这个|就这版|就按这个|按这个来|按这版|批准|批了|可以走|可以签|可以了|可以开始|可以的|ok了|没意见|无异议|过了|签了|已签|验收通过|就这么定|拍板|选a|
        approved|approve|approval|sign off|signed off|signing off|happy with|happy to go|go ahead|goes ahead|good to go|green light|confirmed|confirm|agreed|we accept|accepted|
        all good|looks good|lock it|locked|let's do it|let's go|go with|we're in|fine by|fine with|no objections|no further comments|nothing to add|proceed|you have our""",
    "condition": """
        但是|但|不过|只是|除了|前提|前提是|如果|改了再|改完再|改好再|之后再|先改|先把|还差|等|暂时|原则上|基本|基本可以|大体|还要|还得|需要再|另外|
        but|however|provided|as long as|subject to|if you|once|except|apart from|one thing|before i sign|before we sign|until|unless|in principle|broadly|nearly|almost|on condition|assuming|only if|though""",
    "reject": """
        不同意|不行|不合适|不考虑|不做了|取消|终止|放弃|选了另一家|选择了其他|没选|落选|遗憾|抱歉通知|不通过|驳回|推翻|重做|重来|不要了|没法接受|不接受|暂停|
        decline|declined|not going ahead|won't be|will not be|another agency|went with another|gone with another|decided against|unfortunately|regret|reject|rejected|start again|
        not for us|doesn't work|does not work|can't accept|cannot accept|cancel|cancelled|pull the plug|on hold|not proceed|no longer|we've chosen|have chosen|pass on this""",
    "change": """
        改成|换成|改为|能不能改|能否改|加一个|增加|多加|新增|去掉|删掉|提前|延后|推迟|调整|临时|变更|变更申请|换掉|再加|减少|加急|改期|追加|补充|
        change|change request|instead of|swap|replace|add a|add an|extra|additional|could you also|can we also|bring forward|move the|push back|postpone|remove|drop the|shorter|longer|
        switch|earlier than|rather than|different|can it be|could it be""",
    "complain": """
        不满|失望|太慢|拖|迟迟|一直没|还没收到|催了|为什么|怎么回事|投诉|说不过去|质量|错误|漏了|又错|很被动|不专业|没人回|交代|解释一下|搞错|不像话|
        disappointed|disappointing|unhappy|not acceptable|unacceptable|frustrated|frustrating|late again|still waiting|still haven't|still no|no reply|no answer|chased|chasing|mistake|
        wrong|missed|sloppy|not good enough|let down|concerned|embarrassing|third time|second time|nobody told|explain|complaint""",
    "thanks": "谢谢|感谢|多谢|辛苦|辛苦了|thank you|thanks|thx|grateful|appreciate|cheers|ta",
    "praise": """
        满意|很棒|太棒了|很好|喜欢|惊喜|漂亮|专业|给力|超出预期|点赞|效果好|夸|厉害|完美|合作愉快|
        love|loved|brilliant|fantastic|wonderful|excellent|superb|beautiful|delighted|thrilled|pleased|great work|great job|well done|proud|lovely|perfect|impressed|pleasure working|amazing""",
    "reaction": """
        看了|看完|看过|我觉得|觉得|感觉|建议|意见|反馈|第一页|第三页|不太|有点|太|更|偏|方案里|整体|老板说|老板觉得|领导|领导说|
        feedback|thoughts on|we think|i think|feels|felt|prefer|preferred|we liked|we like|liked|not sure about|concern|my boss|the board|the team felt|too|page|slide|instead|reads|looks""",
    "asking": """
        吗|请问|能否|是否|可否|可不可以|能不能|有没有|什么时候|多少|怎么|哪个|哪些|如何|几点|行不行|好吗|呢|几号|方便|
        could you|can you|would you|do you|does it|is it|are you|when|which|what|how|who|why|may i|shall we|any chance|let me know|is there|are there|will you|should we""",
    "request": """
        请|麻烦|帮忙|尽快|烦请|劳驾|给我|发我|发一下|发给|提供|回复|回传|告知|确认一下|请确认|请审核|请查收|请签|请安排|需要您|需要你|等您|等你|盼复|望|
        please|pls|plz|kindly|need you|need your|send me|send us|let us have|asap|by return|waiting for|awaiting|look forward to your|look forward to hearing|
        we need|i need|get back to|your thoughts|your confirmation|your approval|your signature|over to you""",
    "promising": """
        我来|我们会|我会|稍后|马上|今天给|明天给|周内|下班前|发您|发你|给您|给到|回复您|安排|尽快给|这就|立刻|随后|处理|跟进|改好发|出一版|整理好|
        i'll|we'll|will send|will get|will come back|on it|get back to you|you'll have|you will have|working on|by tomorrow|by friday|by monday|tonight|shortly|leave it with|right away|revert""",
    "handover": """
        附件|见附|附上|请查收|发您|发你|链接|提取码|已发|奉上|呈上|随信|如附|打包发|
        attached|attaching|enclosed|find attached|here is|here's|here are|link below|link to|uploaded|sending you|sending over|in the folder|download""",
    "meeting": """
        会议|开会|见面|碰一下|碰个头|约|电话|视频会|腾讯会议|飞书会议|面谈|拜访|当面|上门|会议室|下午三点|上午十点|对一下|过来|聊聊|沟通会|时间方便|
        meeting|meet|call|zoom|teams|in person|available|availability|slot|calendar|invite|lunch|visit|come by|reschedule|agenda|minutes|catch-up|phone""",
    "payment": """
        付款|打款|汇款|发票|开票|款项|到账|账户|开户行|税号|抬头|尾款|首款|定金|费用|报价|金额|价格|预算|结算|对账|回款|钱|万|
        invoice|invoices|payment|paid|pay|bank|transfer|remittance|deposit|fee|fees|price|cost|quote|vat|discount|budget|balance|purchase order|accounts|finance""",
    "refer_intent": "推荐|介绍|引荐|牵线|recommend|introduce|introduction|referral|put you in touch|passed your name",
    "small_talk": "周末愉快|早安|晚安|哈哈|嘿嘿|旅途|天气|have a good weekend|have a great weekend|enjoy the weekend|safe travels|haha|lol",
    "closed": "收到|知道了|了解|明白|好的|好嘞|嗯|ok|okay|okey|noted|received|got it|understood|will do|fine|sure|yes|yep|great|great thanks|no worries|no problem|you're welcome|不客气|没事",
    "internal_wait": "等老板|等领导|等法务|等财务|内部|走流程|审批|上会|讨论一下|商量|考虑一下|汇报一下|internally|discuss with|check with|run it past|ask my|get back to you|come back to you|decide|our side|speak to",
}


def phrases() -> dict[str, tuple[str, ...]]:
    """Every cue with its phrases, in the normalised spelling."""
    return {
        label: tuple(
            dict.fromkeys(phrase for phrase in (" ".join(part.split()) for part in block.split("|")) if phrase)
        )
        for label, block in _PHRASES.items()
    }


CUES: Final = tuple(_PHRASES)

FOR_STAGE: Final[dict[str, tuple[str, ...]]] = {
    "discovery": ("enquiry", "brief", "nda"),
    "proposal": ("concept", "presentation", "estimate"),
    "agreement": ("contract", "deposit", "price_talk", "adjusting"),
    "execution": ("kickoff", "progress", "review", "milestone", "go_live", "optimising"),
    "closing": ("final_delivery", "results", "survey", "final_invoice", "archive"),
    "relationship": ("keeping_touch", "season", "recommending"),
    "unrelated": ("selling", "applying", "machine", "private"),
}

FOR_INTENT: Final[dict[str, tuple[str, ...]]] = {
    "requirement": ("brief",),
    "question": ("asking",),
    "feedback": ("reaction",),
    "approval": ("approve",),
    "rejection": ("reject",),
    "change_request": ("change",),
    "complaint": ("complain",),
    "meeting": ("meeting",),
    "deliverable": ("handover", "final_delivery"),
    "contract": ("contract",),
    "payment": ("payment", "deposit", "final_invoice"),
    "status_update": ("progress", "go_live"),
    "satisfaction": ("praise", "thanks"),
    "referral": ("recommending", "refer_intent"),
    "greeting": ("season", "keeping_touch"),
}

FOR_WAITING: Final[dict[str, tuple[str, ...]]] = {
    "us": ("promising", "request", "asking", "change", "complain"),
    "client": ("request", "asking", "internal_wait"),
    "nobody": ("thanks", "closed", "season", "praise"),
}
