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
    # --- finer signs of the stage -----------------------------------------------------------------------------------
    "newcomer": """
        我是|我们是做|我们做|我们公司|我们品牌|我们是一家|刚成立|创业|新品牌|新店|第一次|从没做过|之前没|想做|打算|准备做|计划做|考虑做|你们做|你们接|你们能做|你们这边能|
        we make|we sell|we produce|we run|my company|our company|small business|family business|start-up|startup|new brand|opening in|about to launch|never worked with|
        first time|thinking of|thinking about|planning to|we want to|we'd like to|i'd like to|hoping to|do you do|can you help|could you help|is this something|is that something""",
    "acquaintance": """
        介绍我|给我推的|推荐的你|推的你|名片|加的微信|上次展会|论坛上|听说你们|看过你们|看到你们做|刷到|久闻|
        gave me your|your card|your number|told me about you|mentioned you|spoke highly|we met at|met you at|saw your work|seen your work|your work for|love what you did|admired""",
    "rules_of_pitch": """
        应标|投标|标书|评分|资格|入围名单|截止时间|开标|述标|竞标|比价|三家|几家|陪标|比稿费|
        invitation to quote|invitation to tender|submission|submissions|bidders|evaluation criteria|panel|procurement portal|credentials|chemistry|stage 2|stage two|
        incumbent|the other agencies|competing|weighting|interview""",
    "understood": """
        理解一致|梳理|整理成|写成一页|确认需求|需求确认|我们理解|复述|没理解错|有没有遗漏|有无遗漏|有没有漏|对不对|以此为准|一页纸|
        as we understand|my understanding|our understanding|reverse brief|written up|playback|have i missed|did i miss|missed anything|anything missing|have i got|in one page|on one page|
        scope statement|scope document|confirmed scope|requirement document|captures|summarised your""",
    "inputs": """
        数据给|后台|账号权限|往年|去年的|历史数据|销量|客单|用户画像|门店数|sku|素材有吗|品牌手册|vi手册|logo源文件|产品图|预算多少|什么时候要|时间节点|决策|谁拍板|谁来定|
        last year's|historic|sales data|access to|analytics|brand guidelines|brand book|who decides|decision maker|who signs|how many|per year|per month|
        which markets|what's the budget|what is the budget|by when|customers are|who buys|current agency|previous agency""",
    "shown": """
        今天的提案|昨天的提案|听完|听了方案|看了方案|看完方案|三个方向|两个方向|方向一|方向二|方案一|方案二|a案|b案|a方案|b方案|选哪个|更喜欢|倾向|第几页|页|投屏|ppt|
        route a|route b|route one|route two|route 1|route 2|option a|option b|option 1|option 2|option one|option two|the second one|first idea|second idea|three ideas|two ideas|
        your presentation|this morning|yesterday's session|what you showed|what we saw|boards|moodboard|mood board|preferred route|in the deck|slides|the pages""",
    "planning_idea": """
        打法|玩法|怎么打|角度|切入|概念叫|叫做|一句话|主线|故事|人设|内容方向|传播节奏|三个阶段|预热期|核心创意|灵感|脑暴|
        the thought is|the idea is|what if|imagine|we'd call it|angle|story|narrative|hook|big idea|storyline|the line is|creative idea|the thinking|rationale|approach""",
    "second_try": """
        照您的意思|按您说的|改了|改过|调过|重做了|换了|去掉了|拿掉了|补了|版本二|v2|v3|2.0|第二版|再看一版|新版|修订|
        take two|take 2|second go|second version|new version|rethought|changed the|dropped the|took out|moved the|trimmed|here's the revised|rev b|r2|as you asked|per your comments|your changes""",
    "sums": """
        总价|总额|合计|减到|降到|单价|服务费|管理费|人天|工时|媒体费|制作费|抹|返点|返还|对赌|奖罚|包干|封顶|打八折|九折|
        total|subtotal|grand total|day rate|hours|markup|commission|kickback|cap|capped|fixed fee|retainer|for the same price|in exchange|knock off|round it|line by line|line item|waive""",
    "papers": """
        双签|签好|签了|已签|签完|寄回|快递合同|电子签|两份|原件|盖好|用章|走合同|出合同|合同流程|合同模板|红线|修订痕迹|违约金|管辖|保证金|框架|补充协议|订单号|采购单|
        fully executed|executed|both parties|redline|redlines|markup attached|counterparts|draft contract|draft agreement|letter of agreement|order form|engagement letter|
        vendor registration|vendor form|supplier form|onboard you|po attached|purchase order attached|signatory|papered|paperwork|wet ink|pdf signed""",
    "crew": """
        开机|导演|摄影|演员|模特|场地|勘景|踩点|妆造|化妆|服装|道具|收音|机位|片场|外景|通告|杀青|补拍|配音|旁白|混音|调色|
        director|photographer|crew|model|models|wardrobe|props|on set|rain cover|wrap time|recce|location scout|voice over|sound mix|retouch|retouching|retouched|take 3|b-roll""",
    "press_and_print": """
        印刷|打样|看样|看色|色差|刀模|出血|烫金|覆膜|印厂|下厂|开印|纸张|专色|大货|出货|到货|安装|喷绘|桁架|展台|进场|撤场|搭建|灯箱|围挡|
        printer|print run|press check|die line|dieline|bleed|foil|pantone|cmyk|paper stock|delivery date|install|installed|installation|rigging|stand build|hoarding|vinyl|pallet|courier""",
    "platform_work": """
        账号|笔记|种草|达人|博主|主播|直播间|话术|链接|上链接|投流|千川|小红书|抖音|视频号|公众号|推文|评论区|私信|爆文|完播|互动率|粉丝|后台数据|落地页|埋点|服务器|域名|备案|bug|提测|收录|关键词|
        posts|post|reel|reels|stories|influencer|creator|caption|comments section|followers|engagement|landing page|bug|bugs|staging|ux|cms|dns|tracking|pixel|tag manager|
        keywords|rankings|ad set|ad account|campaign manager|boosted|journalist|press release|embargo|coverage""",
    "asked_in_work": """
        审片|审稿|过审|今天能定吗|能发吗|可以发吗|校对|校一下|核对|错字|口误|替换|换一张|选图|选片|选哪张|发吧|可以发|排版|放大|缩小|再亮|再暗|节奏|
        can we post|ok to post|ok to print|ok to publish|proofread|one typo|spelling|selects|which photo|picks|bigger|smaller|brighter|darker|warmer|tighter|longer hold|trim|
        crop|swap the photo|replace the|final check|approve the artwork|any changes""",
    "trouble": """
        延期|下雨|台风|坏了|出问题|崩了|打不开|卡住|被拒|限流|下架|违规|来不及|赶不上|缺货|停工|生病|取消拍摄|备选|应急|补救|
        delay|delayed|rain|storm|broke|broken|crashed|down|stuck|rejected by|flagged|sick|cancelled shoot|plan b|contingency|fix|fixed|workaround|reschedule the shoot""",
    "outcome": """
        卖光|售罄|卖了|涨了|同比|环比|增长|到店|进店|成交|转化|回看|战报|超预期|破纪录|总曝光|总互动|一共|累计|最终|全案|收官|圆满|落幕|结束了|
        sold out|sold|up on|uplift|increase of|versus last year|against target|target was|in total|overall|total reach|footfall|attendance|sign-ups|leads generated|
        cost per|paid for itself|finished|it's over|last day|that's a wrap|that's us done|the end of|final numbers|final figures""",
    "goodbye": """
        合作愉快|感谢信任|感谢这段|期待下次|下次合作|后会有期|一路|这个项目到此|收尾|结束|庆功|表扬|锦旗|致谢|退场|销毁|交接清单|保修|维护期|质保|
        pleasure working|thank you for trusting|until next time|next time|work together again|see you on the next|signing off|celebrate|celebration|drinks on|lessons|
        what went well|what we'd do differently|do differently|hand back|keys|warranty|support period|retention period""",
    "bill": """
        结算|结算单|结算书|对账单|核销|开具|尾款发票|已打|已付|到账|付清|请款|验收款|质保金|退款|剩余款|
        final statement|closing statement|statement of account|credit note|invoice attached for the balance|remaining balance|second half|closing bill|paid in full|refund|wire|reconciliation|reconciled|unspent""",
    "after": """
        上次合作|去年合作|之前合作|老朋友|好久不见|想起你们|路过|新办公室|搬家|升职|跳槽|离职|新同事接手|恭喜|祝贺|获奖|开业|周年|礼盒|月饼|茶叶|水果|贺卡|生日|一年了|
        since we|last time we|last year's campaign|old friends|new role|new job|moved on|promoted|promotion|my last day|my successor|won an award|award|shortlisted for|
        hamper|card|gift|cake|box of|a year since|one year on|anniversary|thinking of you|stranger|how have you been|how's life|reading|article|report you might""",
    "maybe_later": """
        明年可能|下半年可能|年后再说|还没定|到时候|有机会|以后|暂时没有预算|再联系|先打个招呼|也许|说不定|提前透露|
        maybe next year|might be|may have something|not yet|nothing concrete|too early|later this year|in the new year|when budgets|heads up|pencil|no brief yet|one day|down the line""",
    "offer_to_agency": """
        余量|刊例|资源位|点位|我们这边有|可以供|低至|起订|库存|返佣|佣金|合作共赢|渠道|代理商|供应商|厂家|一手|报价表|欢迎来|免费体验|演示|产品手册|试用|
        our rates|we supply|we offer|we provide|our services|our tool|our software|our studio offers|rate card attached|availability for|freelance|day rate is|available from|
        our product|our team of|for agencies|to agencies|white label|partner programme|partner program|affiliate|inventory|overdue invoice|our invoice|unpaid|owed""",
    "house": """
        行政|食堂|停车|团建|体检|考勤|报销|工资|社保|年会|消防演习|停电|停水|打印机|工位|门禁|空调|全体同事|各位同事|公司通知|放假通知|
        all staff|everyone|the kitchen|fridge|printer|wifi|parking|fire drill|payroll|timesheets|expenses|office will|lease|cleaners|building management|it department|mailbox|storage""",
    # --- intents ----------------------------------------------------------------------------------------------------
    "approve": """
        同意|没问题|没有问题|通过|确认|认可|定了|就这个|就这版|就按这个|按这个来|按这版|批准|批了|可以走|可以签|可以了|可以开始|可以的|ok了|没意见|无异议|过了|签了|已签|验收通过|就这么定|拍板|选a|
        approved|approve|approval|sign off|signed off|signing off|happy with|happy to go|go ahead|goes ahead|good to go|green light|confirmed|confirm|agreed|we accept|accepted|
        all good|looks good|lock it|locked|let's do it|let's go|go with|we're in|fine by|fine with|no objections|no further comments|nothing to add|proceed|you have our""",
    "accepts": """
        照办|照此办理|照做|照这个|照这张|照你这|照这样|按此执行|准予|准了|一遍过|全过|全票|一致通过|没毛病|没得说|验收合格|合格|放行|没疑问|没有疑问|无疑问|无意见|没别的意见|没有其他意见|
        可以定|这个过|这版过|就做这个|做这个|就用这|开印|可以印|可以发|发吧|上吧|印吧|做吧|干吧|成交|说定了|一言为定|拿下|行就这么|收货|接受|认可这版|
        accept|accepts|accepted|i accept|clear|cleared|release|released|passed|passes|no defects|no comments|no changes|no remarks|nothing wrong|nothing missing|crack on|carry on|
        do it|go for it|book it|print it|post it|publish it|run it|ship it|take the|as complete|completed from our side|deal|done deal|sold|yes please|you may|duly|in order|correct as it stands""",
    "signing_done": """
        已用印|用印|双方盖章|盖了章|章盖了|签字页|签好|已签|签完|签了字|签妥|双签|回签件|扫描件|扫描先|原件寄|原件顺丰|正本|一式两份|
        signed and|both signatures|both signatories|both parties signed|duly signed|fully executed|executed|signed copy|countersigned|signed it|all signed|signed on our side|
        signed version|signature page|originals|original by courier""",
    "holding": """
        不可议|先不|先别|暂缓|再说|再议|再看看|还没定|没定|等我消息|差一点|还不行|不够|达不到|以.{0,2}为准|须待|视乎|看情况|
        nearly|not quite|not yet|not there|almost there|subject to|pending|hold off|hold on|wait for|not comfortable|still to|remains open|open points|one more|before we|can't commit|let me think|thinking about it""",
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
    "discovery": ("enquiry", "brief", "nda", "newcomer", "acquaintance", "understood", "inputs"),
    "proposal": ("concept", "presentation", "estimate", "shown", "planning_idea", "rules_of_pitch"),
    "agreement": ("contract", "deposit", "price_talk", "adjusting", "second_try", "sums", "papers"),
    "execution": (
        "kickoff",
        "progress",
        "review",
        "milestone",
        "go_live",
        "optimising",
        "crew",
        "press_and_print",
        "platform_work",
        "asked_in_work",
        "trouble",
    ),
    "closing": ("final_delivery", "results", "survey", "final_invoice", "archive", "outcome", "goodbye", "bill"),
    "relationship": ("keeping_touch", "season", "recommending", "after", "maybe_later"),
    "unrelated": ("selling", "applying", "machine", "private", "offer_to_agency", "house"),
}

FOR_INTENT: Final[dict[str, tuple[str, ...]]] = {
    "requirement": ("brief",),
    "question": ("asking",),
    "feedback": ("reaction",),
    "approval": ("approve", "accepts", "signing_done"),
    "rejection": ("reject", "holding"),
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
